#!/bin/sh
# Redis with one user, whose password stands in no argument; the user `default` may do nothing.
set -eu
umask 077
hash=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
cat > /tmp/users.acl <<ACL
user default off resetpass -@all
user airflow on resetpass #$hash ~* &* +@all -@admin -@dangerous +info +keys
ACL
unset REDIS_PASSWORD
exec redis-server --aclfile /tmp/users.acl --dir /data --appendonly yes --maxmemory 96mb \
    --maxmemory-policy noeviction --save ""

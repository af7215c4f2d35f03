# One image for every service of this project. It holds what runs in service: no tests, no experiments, no secrets.
#   docker compose build
# Behind a company's certificate authority: CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt docker compose build
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.11
FROM ${AIRFLOW_IMAGE}

# Named volumes take over the owner of the folder that they cover.
USER root
RUN install -d -o 50000 -g 0 -m 0755 /opt/loadtest /var/lib/loadtest \
 && install -d -o 50000 -g 0 -m 0750 /var/lib/loadtest/results /var/lib/loadtest/work /var/lib/loadtest/demo \
 && install -d -o 50000 -g 0 -m 0755 /var/lib/loadtest/monitoring
USER 50000:0

WORKDIR /tmp/packages
COPY --chown=50000:0 requirements.in requirements.txt deploy/requirements_of_service.py ./
# Packages change less often than code: they are a layer of their own. Each is checked against its hash.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN --mount=type=secret,id=ca_bundle,mode=0444 \
    if [ -s /run/secrets/ca_bundle ]; then export SSL_CERT_FILE=/run/secrets/ca_bundle PIP_CERT=/run/secrets/ca_bundle; fi; \
    python requirements_of_service.py uv > uv.txt \
 && python requirements_of_service.py > service.txt \
 && python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r uv.txt \
 && uv pip install --quiet --no-cache --compile-bytecode --python "$(command -v python)" --require-hashes \
        -r service.txt --constraint requirements.txt

WORKDIR /opt/loadtest
COPY --chown=50000:0 deploy/airflow/webserver_config.py deploy/airflow/airflow.cfg /opt/airflow/
COPY --chown=50000:0 dags dags
COPY --chown=50000:0 plugins plugins
COPY --chown=50000:0 include include
COPY --chown=50000:0 docs docs
COPY --chown=50000:0 deploy deploy
# Bytecode is made now: the file system is read-only later.
RUN python -m compileall -q include plugins dags

ENV PYTHONPATH=/opt/loadtest \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/loadtest/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/loadtest/plugins \
    MPLCONFIGDIR=/tmp/matplotlib \
    GX_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1 \
    SCARF_ANALYTICS=false

# Last, so that another version does not install the same packages again.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="pratikoai-load-tests" \
      org.opencontainers.image.description="Scheduled load tests for PratikoAI: Airflow, Locust, great-expectations" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

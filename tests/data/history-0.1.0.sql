--
-- PostgreSQL database dump
--

-- The history of release 0.1.0: three runs and a held lock.
-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: loadtest; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA loadtest;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: loadtest; Owner: -
--

CREATE TABLE loadtest.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: metric; Type: TABLE; Schema: loadtest; Owner: -
--

CREATE TABLE loadtest.metric (
    run_id text NOT NULL,
    metric text NOT NULL,
    scope text NOT NULL,
    phase text NOT NULL,
    value double precision,
    unit text NOT NULL,
    n bigint NOT NULL,
    ci_low double precision,
    ci_high double precision,
    direction text NOT NULL
);


--
-- Name: run; Type: TABLE; Schema: loadtest; Owner: -
--

CREATE TABLE loadtest.run (
    run_id text NOT NULL,
    suite text,
    suite_run_id text,
    profile text NOT NULL,
    engine text NOT NULL,
    target text NOT NULL,
    verdict text NOT NULL,
    started timestamp with time zone NOT NULL,
    ended timestamp with time zone,
    comparability_key text NOT NULL,
    comparability jsonb NOT NULL,
    environment jsonb NOT NULL,
    bundle_uri text NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: target_lock; Type: TABLE; Schema: loadtest; Owner: -
--

CREATE TABLE loadtest.target_lock (
    target text NOT NULL,
    owner text NOT NULL,
    run_id text NOT NULL,
    acquired timestamp with time zone NOT NULL,
    expires timestamp with time zone NOT NULL
);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.alembic_version (version_num) FROM stdin;
0001
\.


--
-- Data for Name: metric; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.metric (run_id, metric, scope, phase, value, unit, n, ci_low, ci_high, direction) FROM stdin;
smoke-20260301-090000-aaaaaa	latency_p95_ms	all	hold	1200.25	ms	412	1100.5	1311.75	lower
smoke-20260301-090000-aaaaaa	error_rate	all	hold	0	ratio	415	0	0.00917	lower
smoke-20260302-090000-bbbbbb	latency_p95_ms	all	hold	1234.5	ms	409	1150	1400.125	lower
smoke-20260302-090000-bbbbbb	error_rate	all	hold	0	ratio	409	0	0.0093	lower
smoke-20260302-090000-bbbbbb	cache_hit_rate	all	hold	\N	ratio	0	\N	\N	higher
smoke-20260302-090000-bbbbbb	latency_p95_ms	all	ramp_up	\N	ms	9	\N	\N	lower
smoke-20260303-090000-cccccc	latency_p95_ms	all	hold	4321	ms	388	4100	\N	lower
smoke-20260303-090000-cccccc	error_rate	all	hold	0.025	ratio	400	0.0137	0.0453	lower
\.


--
-- Data for Name: run; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.run (run_id, suite, suite_run_id, profile, engine, target, verdict, started, ended, comparability_key, comparability, environment, bundle_uri, inserted_at, updated_at) FROM stdin;
smoke-20260301-090000-aaaaaa	\N	\N	smoke	locust	default	PASS	2026-03-01 09:00:00+00	2026-03-01 09:01:05+00	fc6e3bc2242585036ea36f4b9f057003	{"users": 10, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 10, "users_from": 0}, {"name": "hold", "end_s": 65.0, "phase": "hold", "start_s": 5.0, "users_to": 10, "users_from": 10}], "target": "default", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_gib": 16}, "questions": {"pool_size": 40, "zipf_exponent": 1.1}, "size_band": 2, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}}}	{"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}, "row_counts": {"user": 200, "session": 12}, "app_version": null, "generator_host": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_bytes": 17179869184}}	load_test_results/smoke-20260301-090000-aaaaaa	2026-03-03 09:02:25.403129+00	2026-03-03 09:02:25.403129+00
smoke-20260302-090000-bbbbbb	\N	\N	smoke	locust	default	WARN	2026-03-02 09:00:00+00	2026-03-02 09:01:05+00	fc6e3bc2242585036ea36f4b9f057003	{"users": 10, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 10, "users_from": 0}, {"name": "hold", "end_s": 65.0, "phase": "hold", "start_s": 5.0, "users_to": 10, "users_from": 10}], "target": "default", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_gib": 16}, "questions": {"pool_size": 40, "zipf_exponent": 1.1}, "size_band": 2, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}}}	{"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}, "row_counts": {"user": 200, "session": 12}, "app_version": null, "generator_host": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_bytes": 17179869184}}	load_test_results/smoke-20260302-090000-bbbbbb	2026-03-03 09:02:25.410781+00	2026-03-03 09:02:25.410781+00
smoke-20260303-090000-cccccc	\N	\N	smoke	locust	default	SLA_BREACH	2026-03-03 09:00:00+00	2026-03-03 09:01:05+00	fc6e3bc2242585036ea36f4b9f057003	{"users": 10, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 10, "users_from": 0}, {"name": "hold", "end_s": 65.0, "phase": "hold", "start_s": 5.0, "users_to": 10, "users_from": 10}], "target": "default", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_gib": 16}, "questions": {"pool_size": 40, "zipf_exponent": 1.1}, "size_band": 2, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}}}	{"redis": {"version": "7.4.1", "maxmemory": "0", "maxmemory_policy": "noeviction"}, "postgres": {"server_version": "17.6", "max_connections": "100"}, "row_counts": {"user": 200, "session": 12}, "app_version": null, "generator_host": {"cpu_count": 4, "cpu_model": "AMD EPYC", "memory_bytes": 17179869184}}	load_test_results/smoke-20260303-090000-cccccc	2026-03-03 09:02:25.416397+00	2026-03-03 09:02:25.416397+00
\.


--
-- Data for Name: target_lock; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.target_lock (target, owner, run_id, acquired, expires) FROM stdin;
default	manual__2026-03-03T09:00:00+00:00	smoke-20260303-090000-cccccc	2026-03-03 09:02:25.421804+00	2026-03-03 09:34:05.421804+00
\.


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: loadtest; Owner: -
--

ALTER TABLE ONLY loadtest.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: metric metric_pkey; Type: CONSTRAINT; Schema: loadtest; Owner: -
--

ALTER TABLE ONLY loadtest.metric
    ADD CONSTRAINT metric_pkey PRIMARY KEY (run_id, metric, scope, phase);


--
-- Name: run run_pkey; Type: CONSTRAINT; Schema: loadtest; Owner: -
--

ALTER TABLE ONLY loadtest.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);


--
-- Name: target_lock target_lock_pkey; Type: CONSTRAINT; Schema: loadtest; Owner: -
--

ALTER TABLE ONLY loadtest.target_lock
    ADD CONSTRAINT target_lock_pkey PRIMARY KEY (target);


--
-- Name: run_comparability_key_started; Type: INDEX; Schema: loadtest; Owner: -
--

CREATE INDEX run_comparability_key_started ON loadtest.run USING btree (comparability_key, started);


--
-- Name: run_profile_started; Type: INDEX; Schema: loadtest; Owner: -
--

CREATE INDEX run_profile_started ON loadtest.run USING btree (profile, started);


--
-- Name: metric metric_run_id_fkey; Type: FK CONSTRAINT; Schema: loadtest; Owner: -
--

ALTER TABLE ONLY loadtest.metric
    ADD CONSTRAINT metric_run_id_fkey FOREIGN KEY (run_id) REFERENCES loadtest.run(run_id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


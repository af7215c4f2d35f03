--
-- PostgreSQL database dump
--


-- Written by release 0.1.0 itself, its last commit 152695b: `make up`, then `make run PROFILE=smoke` twice, `make run
-- PROFILE=smoke USERS=4 DURATION_S=20`, `make run PROFILE=baseline`, and a lock that its acquire_lock took. Dumped with
-- pg_dump --schema=loadtest --no-owner; since then only the folder in bundle_uri has another name.

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
smoke-20261127-041423-5e960a	latency_p50_ms	all	ramp_up	11.099	ms	26	7.874	16.015	lower
smoke-20261127-041423-5e960a	latency_p95_ms	all	ramp_up	898.189	ms	26	20.373	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	all	ramp_up	\N	ms	26	612.113	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	all	ramp_up	\N	ms	16	15.316	\N	lower
smoke-20261127-041423-5e960a	error_rate	all	ramp_up	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041423-5e960a	rejected_rate	all	ramp_up	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041423-5e960a	throughput_rpm	all	ramp_up	312	req/min	26	203.80875858715612	457.15228899749997	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	all	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:simple_query	ramp_up	\N	ms	6	4.546	612.113	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:simple_query	ramp_up	\N	ms	6	7.842	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:simple_query	ramp_up	\N	ms	6	16.015	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:simple_query	ramp_up	\N	ms	6	5.305	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:simple_query	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:simple_query	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:simple_query	ramp_up	72	req/min	6	26.422731041890216	156.71368827022422	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:simple_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:complex_query	ramp_up	\N	ms	10	7.874	898.189	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:complex_query	ramp_up	\N	ms	10	17.113	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:complex_query	ramp_up	\N	ms	10	898.189	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:complex_query	ramp_up	\N	ms	10	15.316	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:complex_query	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:complex_query	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:complex_query	ramp_up	120	req/min	10	57.544664353589205	220.6842725042133	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:complex_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:tax_calculation	ramp_up	\N	ms	5	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	5	11.481	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:tax_calculation	ramp_up	\N	ms	5	11.481	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:tax_calculation	ramp_up	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:tax_calculation	ramp_up	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:tax_calculation	ramp_up	60	req/min	5	19.481836681421054	140.01998495187206	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:tax_calculation	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:document_upload	ramp_up	\N	ms	1	19.564	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:document_upload	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:knowledge_search	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	3	13.516	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:knowledge_search	ramp_up	\N	ms	3	13.516	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:knowledge_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:knowledge_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:knowledge_search	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:knowledge_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:user_operations	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:user_operations	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:user_operations	ramp_up	\N	ms	1	20.373	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:user_operations	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:user_operations	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:user_operations	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:user_operations	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:chat_complex	ramp_up	\N	ms	10	7.874	898.189	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	10	17.113	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:chat_complex	ramp_up	\N	ms	10	898.189	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	10	15.316	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:chat_complex	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:chat_complex	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:chat_complex	ramp_up	120	req/min	10	57.544664353589205	220.6842725042133	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:chat_complex	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:chat_simple	ramp_up	\N	ms	6	4.546	612.113	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	6	7.842	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:chat_simple	ramp_up	\N	ms	6	16.015	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	6	5.305	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:chat_simple	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:chat_simple	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:chat_simple	ramp_up	72	req/min	6	26.422731041890216	156.71368827022422	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:chat_simple	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:document_upload	ramp_up	\N	ms	1	19.564	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:document_upload	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:legal_search	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:legal_search	ramp_up	\N	ms	3	13.516	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:legal_search	ramp_up	\N	ms	3	13.516	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:legal_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:legal_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:legal_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:legal_search	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:legal_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:settings_write	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:settings_write	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:settings_write	ramp_up	\N	ms	1	20.373	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:settings_write	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:settings_write	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:settings_write	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:settings_write	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:subscription	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:subscription	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:subscription	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:subscription	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_imu	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	2	6.605	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_imu	ramp_up	\N	ms	2	11.099	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_imu	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_imu	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_imu	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_imu	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	11.481	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_irpef	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_irpef	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_irpef	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_irpef	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_iva	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	2	7.577	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_iva	ramp_up	\N	ms	2	13.634	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_iva	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_iva	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_iva	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_iva	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:user_profile	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:user_profile	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:user_profile	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:user_profile	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041423-5e960a	cache_hit_rate	all	ramp_up	\N	ratio	1	\N	\N	higher
smoke-20261127-041423-5e960a	host_cpu_pct	all	ramp_up	0	%	1	\N	\N	lower
smoke-20261127-041423-5e960a	host_memory_pct	all	ramp_up	7.8	%	1	\N	\N	lower
smoke-20261127-041423-5e960a	postgres_connections	all	ramp_up	8	connections	1	\N	\N	lower
smoke-20261127-041423-5e960a	redis_memory_bytes	all	ramp_up	1239808	bytes	1	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p50_ms	all	hold	5.653	ms	558	5.422	5.887	lower
smoke-20261127-041423-5e960a	latency_p95_ms	all	hold	891.368	ms	558	590.73	897.216	lower
smoke-20261127-041423-5e960a	latency_p99_ms	all	hold	906.939	ms	558	900.733	927.794	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	all	hold	306.85	ms	310	306.154	308.556	lower
smoke-20261127-041423-5e960a	error_rate	all	hold	0	ratio	558	0	0.006837264784192593	lower
smoke-20261127-041423-5e960a	rejected_rate	all	hold	0	ratio	558	0	0.006837264784192593	lower
smoke-20261127-041423-5e960a	throughput_rpm	all	hold	558	req/min	558	512.6559923895379	606.2795433512636	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	all	hold	558	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:simple_query	hold	6.013	ms	171	5.616	6.275	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:simple_query	hold	893.374	ms	171	591.641	905.406	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:simple_query	hold	911.152	ms	171	898.604	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:simple_query	hold	307.123	ms	171	306.105	309.028	lower
smoke-20261127-041423-5e960a	error_rate	scenario:simple_query	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:simple_query	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:simple_query	hold	171	req/min	171	146.33003384797868	198.63834620249543	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:simple_query	hold	171	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:complex_query	hold	6.109	ms	139	5.714	6.879	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:complex_query	hold	902.721	ms	139	896.369	923.308	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:complex_query	hold	923.308	ms	139	905.741	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:complex_query	hold	306.85	ms	139	305.758	310.281	lower
smoke-20261127-041423-5e960a	error_rate	scenario:complex_query	hold	0	ratio	139	0	0.026893164298442428	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:complex_query	hold	0	ratio	139	0	0.026893164298442428	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:complex_query	hold	139	req/min	139	116.85359169956982	164.12275930495767	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:complex_query	hold	139	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:tax_calculation	hold	4.498	ms	110	4.344	4.783	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:tax_calculation	hold	8.75	ms	110	6.975	13.236	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:tax_calculation	hold	13.236	ms	110	9.236	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:tax_calculation	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:tax_calculation	hold	0	ratio	110	0	0.033743935298164184	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:tax_calculation	hold	0	ratio	110	0	0.033743935298164184	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:tax_calculation	hold	110	req/min	110	90.40662209239572	132.57974702682438	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:tax_calculation	hold	110	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:document_upload	hold	7.246	ms	55	6.865	7.603	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:document_upload	hold	15.892	ms	55	12.061	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:document_upload	hold	\N	ms	55	15.892	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:document_upload	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:document_upload	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:knowledge_search	hold	4.939	ms	57	4.653	5.651	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:knowledge_search	hold	10.157	ms	57	7.304	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:knowledge_search	hold	\N	ms	57	10.157	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:knowledge_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:knowledge_search	hold	0	ratio	57	0	0.06313883485297894	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:knowledge_search	hold	0	ratio	57	0	0.06313883485297894	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:knowledge_search	hold	57	req/min	57	43.17124336292474	73.85011140296281	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:knowledge_search	hold	57	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	scenario:user_operations	hold	4.264	ms	26	3.823	4.98	lower
smoke-20261127-041423-5e960a	latency_p95_ms	scenario:user_operations	hold	8.743	ms	26	5.243	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	scenario:user_operations	hold	\N	ms	26	7.006	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	scenario:user_operations	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	scenario:user_operations	hold	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041423-5e960a	rejected_rate	scenario:user_operations	hold	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041423-5e960a	throughput_rpm	scenario:user_operations	hold	26	req/min	26	16.984063215596343	38.096024083124995	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	scenario:user_operations	hold	26	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:chat_complex	hold	6.109	ms	139	5.714	6.879	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:chat_complex	hold	902.721	ms	139	896.369	923.308	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:chat_complex	hold	923.308	ms	139	905.741	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:chat_complex	hold	306.85	ms	139	305.758	310.281	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:chat_complex	hold	0	ratio	139	0	0.026893164298442428	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:chat_complex	hold	0	ratio	139	0	0.026893164298442428	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:chat_complex	hold	139	req/min	139	116.85359169956982	164.12275930495767	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:chat_complex	hold	139	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:chat_simple	hold	6.013	ms	171	5.616	6.275	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:chat_simple	hold	893.374	ms	171	591.641	905.406	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:chat_simple	hold	911.152	ms	171	898.604	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:chat_simple	hold	307.123	ms	171	306.105	309.028	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:chat_simple	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:chat_simple	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:chat_simple	hold	171	req/min	171	146.33003384797868	198.63834620249543	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:chat_simple	hold	171	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:document_upload	hold	7.246	ms	55	6.865	7.603	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:document_upload	hold	15.892	ms	55	12.061	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:document_upload	hold	\N	ms	55	15.892	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:document_upload	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:document_upload	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:invoices	hold	\N	ms	7	3.711	7.006	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:invoices	hold	\N	ms	7	4.84	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:invoices	hold	\N	ms	7	5.051	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:invoices	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:invoices	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:invoices	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:invoices	hold	7	req/min	7	2.814363051519867	14.422675361702382	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:invoices	hold	7	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:legal_search	hold	4.939	ms	57	4.653	5.651	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:legal_search	hold	10.157	ms	57	7.304	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:legal_search	hold	\N	ms	57	10.157	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:legal_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:legal_search	hold	0	ratio	57	0	0.06313883485297894	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:legal_search	hold	0	ratio	57	0	0.06313883485297894	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:legal_search	hold	57	req/min	57	43.17124336292474	73.85011140296281	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:legal_search	hold	57	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:settings_read	hold	\N	ms	4	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:settings_read	hold	\N	ms	4	4.158	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:settings_read	hold	\N	ms	4	4.158	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:settings_read	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:settings_read	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:settings_read	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:settings_read	hold	4	req/min	4	1.089865373626325	10.241588675403696	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:settings_read	hold	4	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:settings_write	hold	\N	ms	5	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:settings_write	hold	\N	ms	5	4.886	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:settings_write	hold	\N	ms	5	4.886	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:settings_write	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:settings_write	hold	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:settings_write	hold	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:settings_write	hold	5	req/min	5	1.623486390118421	11.66833207932267	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:settings_write	hold	5	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:subscription	hold	\N	ms	3	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:subscription	hold	\N	ms	3	3.543	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:subscription	hold	\N	ms	3	3.543	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:subscription	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:subscription	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:subscription	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:subscription	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:subscription	hold	3	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_imu	hold	4.471	ms	30	3.533	4.8	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_imu	hold	7.659	ms	30	6.476	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_imu	hold	\N	ms	30	6.965	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_imu	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_imu	hold	0	ratio	30	0	0.11351339317396876	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_imu	hold	0	ratio	30	0	0.11351339317396876	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_imu	hold	30	req/min	30	20.240874021420915	42.82686539480766	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_imu	hold	30	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_irpef	hold	4.595	ms	29	4.213	5.096	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_irpef	hold	9.601	ms	29	6.279	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_irpef	hold	\N	ms	29	7.736	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_irpef	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_irpef	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_irpef	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_irpef	hold	29	req/min	29	19.42175513754794	41.648837438586604	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_irpef	hold	29	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_iva	hold	4.407	ms	29	4.236	5.206	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_iva	hold	9.236	ms	29	6.596	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_iva	hold	\N	ms	29	8.75	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_iva	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_iva	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_iva	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_iva	hold	29	req/min	29	19.42175513754794	41.648837438586604	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_iva	hold	29	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:tax_surcharges	hold	4.493	ms	22	3.531	5.032	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:tax_surcharges	hold	6.975	ms	22	5.588	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:tax_surcharges	hold	\N	ms	22	6.975	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:tax_surcharges	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:tax_surcharges	hold	0	ratio	22	0	0.14865487460862087	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:tax_surcharges	hold	0	ratio	22	0	0.14865487460862087	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:tax_surcharges	hold	22	req/min	22	13.78728287222961	33.308264387125234	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:tax_surcharges	hold	22	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:usage	hold	\N	ms	4	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:usage	hold	\N	ms	4	8.743	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:usage	hold	\N	ms	4	8.743	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:usage	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:usage	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:usage	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:usage	hold	4	req/min	4	1.089865373626325	10.241588675403696	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:usage	hold	4	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	latency_p50_ms	endpoint:user_profile	hold	\N	ms	3	\N	\N	lower
smoke-20261127-041423-5e960a	latency_p95_ms	endpoint:user_profile	hold	\N	ms	3	3.682	\N	lower
smoke-20261127-041423-5e960a	latency_p99_ms	endpoint:user_profile	hold	\N	ms	3	3.682	\N	lower
smoke-20261127-041423-5e960a	ttft_p95_ms	endpoint:user_profile	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041423-5e960a	error_rate	endpoint:user_profile	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	rejected_rate	endpoint:user_profile	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041423-5e960a	throughput_rpm	endpoint:user_profile	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
smoke-20261127-041423-5e960a	throughput_worst_minute_rpm	endpoint:user_profile	hold	3	req/min	1	\N	\N	higher
smoke-20261127-041423-5e960a	cache_hit_rate	all	hold	0.852112676056338	ratio	12	\N	\N	higher
smoke-20261127-041423-5e960a	host_cpu_pct	all	hold	33.05833333333334	%	12	\N	\N	lower
smoke-20261127-041423-5e960a	host_memory_pct	all	hold	8.391666666666667	%	12	\N	\N	lower
smoke-20261127-041423-5e960a	postgres_connections	all	hold	8	connections	12	\N	\N	lower
smoke-20261127-041423-5e960a	redis_memory_bytes	all	hold	1244728	bytes	12	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p50_ms	all	ramp_up	6.335	ms	26	5.549	8.39	lower
smoke-20261127-041612-a654c6	latency_p95_ms	all	ramp_up	882.531	ms	26	12.919	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	all	ramp_up	\N	ms	26	578.528	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	all	ramp_up	\N	ms	16	11.871	\N	lower
smoke-20261127-041612-a654c6	error_rate	all	ramp_up	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041612-a654c6	rejected_rate	all	ramp_up	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041612-a654c6	throughput_rpm	all	ramp_up	312	req/min	26	203.80875858715612	457.15228899749997	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	all	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:simple_query	ramp_up	\N	ms	6	4.414	578.528	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:simple_query	ramp_up	\N	ms	6	6.618	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:simple_query	ramp_up	\N	ms	6	9.541	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:simple_query	ramp_up	\N	ms	6	4.384	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:simple_query	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:simple_query	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:simple_query	ramp_up	72	req/min	6	26.422731041890216	156.71368827022422	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:simple_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:complex_query	ramp_up	\N	ms	10	5.29	882.531	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:complex_query	ramp_up	\N	ms	10	14.652	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:complex_query	ramp_up	\N	ms	10	882.531	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:complex_query	ramp_up	\N	ms	10	11.871	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:complex_query	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:complex_query	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:complex_query	ramp_up	120	req/min	10	57.544664353589205	220.6842725042133	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:complex_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:tax_calculation	ramp_up	\N	ms	5	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	5	6.266	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:tax_calculation	ramp_up	\N	ms	5	6.266	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:tax_calculation	ramp_up	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:tax_calculation	ramp_up	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:tax_calculation	ramp_up	60	req/min	5	19.481836681421054	140.01998495187206	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:tax_calculation	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:document_upload	ramp_up	\N	ms	1	8.39	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:document_upload	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:knowledge_search	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	3	11.542	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:knowledge_search	ramp_up	\N	ms	3	11.542	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:knowledge_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:knowledge_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:knowledge_search	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:knowledge_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:user_operations	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:user_operations	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:user_operations	ramp_up	\N	ms	1	7.836	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:user_operations	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:user_operations	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:user_operations	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:user_operations	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:chat_complex	ramp_up	\N	ms	10	5.29	882.531	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	10	14.652	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:chat_complex	ramp_up	\N	ms	10	882.531	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	10	11.871	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:chat_complex	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:chat_complex	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:chat_complex	ramp_up	120	req/min	10	57.544664353589205	220.6842725042133	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:chat_complex	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:chat_simple	ramp_up	\N	ms	6	4.414	578.528	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	6	6.618	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:chat_simple	ramp_up	\N	ms	6	9.541	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	6	4.384	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:chat_simple	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:chat_simple	ramp_up	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:chat_simple	ramp_up	72	req/min	6	26.422731041890216	156.71368827022422	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:chat_simple	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:document_upload	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:document_upload	ramp_up	\N	ms	1	8.39	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:document_upload	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:document_upload	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:legal_search	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:legal_search	ramp_up	\N	ms	3	11.542	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:legal_search	ramp_up	\N	ms	3	11.542	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:legal_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:legal_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:legal_search	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:legal_search	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:legal_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:settings_write	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:settings_write	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:settings_write	ramp_up	\N	ms	1	7.836	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:settings_write	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:settings_write	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:settings_write	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:settings_write	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:subscription	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:subscription	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:subscription	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:subscription	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:subscription	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_imu	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	2	5.549	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_imu	ramp_up	\N	ms	2	6.266	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_imu	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_imu	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_imu	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_imu	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_irpef	ramp_up	\N	ms	1	3.876	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_irpef	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_irpef	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_irpef	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_irpef	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_iva	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	2	4.544	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_iva	ramp_up	\N	ms	2	7.864	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_iva	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_iva	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_iva	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_iva	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:user_profile	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:user_profile	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:user_profile	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:user_profile	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:user_profile	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041612-a654c6	cache_hit_rate	all	ramp_up	\N	ratio	1	\N	\N	higher
smoke-20261127-041612-a654c6	host_cpu_pct	all	ramp_up	0	%	1	\N	\N	lower
smoke-20261127-041612-a654c6	host_memory_pct	all	ramp_up	8.4	%	1	\N	\N	lower
smoke-20261127-041612-a654c6	postgres_connections	all	ramp_up	8	connections	1	\N	\N	lower
smoke-20261127-041612-a654c6	redis_memory_bytes	all	ramp_up	1281584	bytes	1	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p50_ms	all	hold	7.693	ms	555	7.182	8.302	lower
smoke-20261127-041612-a654c6	latency_p95_ms	all	hold	895.396	ms	555	592.619	906.397	lower
smoke-20261127-041612-a654c6	latency_p99_ms	all	hold	944.368	ms	555	915.211	991.419	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	all	hold	309.534	ms	309	308.332	313.929	lower
smoke-20261127-041612-a654c6	error_rate	all	hold	0	ratio	555	0	0.006873968922779347	lower
smoke-20261127-041612-a654c6	rejected_rate	all	hold	0	ratio	555	0	0.006873968922779347	lower
smoke-20261127-041612-a654c6	throughput_rpm	all	hold	555	req/min	555	509.7806369268928	603.1550093703352	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	all	hold	555	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:simple_query	hold	8.493	ms	171	7.626	10.646	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:simple_query	hold	899.715	ms	171	598.746	924.964	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:simple_query	hold	934.098	ms	171	910.646	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:simple_query	hold	309.534	ms	171	308.135	313.51	lower
smoke-20261127-041612-a654c6	error_rate	scenario:simple_query	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:simple_query	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:simple_query	hold	171	req/min	171	146.33003384797868	198.63834620249543	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:simple_query	hold	171	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:complex_query	hold	8.508	ms	138	7.403	11.399	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:complex_query	hold	919.693	ms	138	903.333	991.419	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:complex_query	hold	991.419	ms	138	948.858	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:complex_query	hold	310.302	ms	138	308.318	325.418	lower
smoke-20261127-041612-a654c6	error_rate	scenario:complex_query	hold	0	ratio	138	0	0.027082764465572957	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:complex_query	hold	0	ratio	138	0	0.027082764465572957	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:complex_query	hold	138	req/min	138	115.93691167806902	163.03973180371514	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:complex_query	hold	138	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:tax_calculation	hold	5.726	ms	110	5.114	6.586	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:tax_calculation	hold	39.135	ms	110	21.882	100.411	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:tax_calculation	hold	100.411	ms	110	40.388	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:tax_calculation	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:tax_calculation	hold	0	ratio	110	0	0.033743935298164184	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:tax_calculation	hold	0	ratio	110	0	0.033743935298164184	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:tax_calculation	hold	110	req/min	110	90.40662209239572	132.57974702682438	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:tax_calculation	hold	110	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:document_upload	hold	10.289	ms	55	8.225	14.586	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:document_upload	hold	37.159	ms	55	24.014	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:document_upload	hold	\N	ms	55	37.159	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:document_upload	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:document_upload	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:knowledge_search	hold	6.76	ms	55	5.738	8.539	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:knowledge_search	hold	100.785	ms	55	32.94	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:knowledge_search	hold	\N	ms	55	100.785	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:knowledge_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:knowledge_search	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:knowledge_search	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:knowledge_search	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:knowledge_search	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	scenario:user_operations	hold	4.915	ms	26	4.563	6.381	lower
smoke-20261127-041612-a654c6	latency_p95_ms	scenario:user_operations	hold	17.772	ms	26	8.405	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	scenario:user_operations	hold	\N	ms	26	11.796	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	scenario:user_operations	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	scenario:user_operations	hold	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041612-a654c6	rejected_rate	scenario:user_operations	hold	0	ratio	26	0	0.1287289218592153	lower
smoke-20261127-041612-a654c6	throughput_rpm	scenario:user_operations	hold	26	req/min	26	16.984063215596343	38.096024083124995	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	scenario:user_operations	hold	26	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:chat_complex	hold	8.508	ms	138	7.403	11.399	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:chat_complex	hold	919.693	ms	138	903.333	991.419	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:chat_complex	hold	991.419	ms	138	948.858	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:chat_complex	hold	310.302	ms	138	308.318	325.418	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:chat_complex	hold	0	ratio	138	0	0.027082764465572957	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:chat_complex	hold	0	ratio	138	0	0.027082764465572957	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:chat_complex	hold	138	req/min	138	115.93691167806902	163.03973180371514	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:chat_complex	hold	138	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:chat_simple	hold	8.493	ms	171	7.626	10.646	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:chat_simple	hold	899.715	ms	171	598.746	924.964	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:chat_simple	hold	934.098	ms	171	910.646	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:chat_simple	hold	309.534	ms	171	308.135	313.51	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:chat_simple	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:chat_simple	hold	0	ratio	171	0	0.02197109796843821	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:chat_simple	hold	171	req/min	171	146.33003384797868	198.63834620249543	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:chat_simple	hold	171	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:document_upload	hold	10.289	ms	55	8.225	14.586	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:document_upload	hold	37.159	ms	55	24.014	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:document_upload	hold	\N	ms	55	37.159	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:document_upload	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:document_upload	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:document_upload	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:invoices	hold	\N	ms	7	3.117	10.233	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:invoices	hold	\N	ms	7	5.82	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:invoices	hold	\N	ms	7	8.09	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:invoices	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:invoices	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:invoices	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:invoices	hold	7	req/min	7	2.814363051519867	14.422675361702382	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:invoices	hold	7	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:legal_search	hold	6.76	ms	55	5.738	8.539	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:legal_search	hold	100.785	ms	55	32.94	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:legal_search	hold	\N	ms	55	100.785	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:legal_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:legal_search	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:legal_search	hold	0	ratio	55	0	0.06528490111708637	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:legal_search	hold	55	req/min	55	41.43352697143848	71.59005997595938	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:legal_search	hold	55	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:settings_read	hold	\N	ms	4	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:settings_read	hold	\N	ms	4	5.484	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:settings_read	hold	\N	ms	4	5.484	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:settings_read	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:settings_read	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:settings_read	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:settings_read	hold	4	req/min	4	1.089865373626325	10.241588675403696	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:settings_read	hold	4	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:settings_write	hold	\N	ms	5	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:settings_write	hold	\N	ms	5	5.277	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:settings_write	hold	\N	ms	5	5.277	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:settings_write	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:settings_write	hold	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:settings_write	hold	0	ratio	5	0	0.43448246478317476	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:settings_write	hold	5	req/min	5	1.623486390118421	11.66833207932267	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:settings_write	hold	5	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:subscription	hold	\N	ms	3	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:subscription	hold	\N	ms	3	5.281	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:subscription	hold	\N	ms	3	5.281	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:subscription	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:subscription	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:subscription	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:subscription	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:subscription	hold	3	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_imu	hold	5.6	ms	30	4.199	9.811	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_imu	hold	59.556	ms	30	35.393	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_imu	hold	\N	ms	30	40.388	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_imu	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_imu	hold	0	ratio	30	0	0.11351339317396876	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_imu	hold	0	ratio	30	0	0.11351339317396876	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_imu	hold	30	req/min	30	20.240874021420915	42.82686539480766	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_imu	hold	30	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_irpef	hold	5.726	ms	29	4.826	7.138	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_irpef	hold	85.105	ms	29	14.597	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_irpef	hold	\N	ms	29	35.296	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_irpef	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_irpef	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_irpef	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_irpef	hold	29	req/min	29	19.42175513754794	41.648837438586604	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_irpef	hold	29	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_iva	hold	5.436	ms	29	4.614	7.751	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_iva	hold	11.475	ms	29	9.246	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_iva	hold	\N	ms	29	9.812	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_iva	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_iva	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_iva	hold	0	ratio	29	0	0.11696979849974075	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_iva	hold	29	req/min	29	19.42175513754794	41.648837438586604	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_iva	hold	29	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:tax_surcharges	hold	5.903	ms	22	3.793	9.244	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:tax_surcharges	hold	11.564	ms	22	10.951	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:tax_surcharges	hold	\N	ms	22	11.564	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:tax_surcharges	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:tax_surcharges	hold	0	ratio	22	0	0.14865487460862087	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:tax_surcharges	hold	0	ratio	22	0	0.14865487460862087	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:tax_surcharges	hold	22	req/min	22	13.78728287222961	33.308264387125234	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:tax_surcharges	hold	22	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:usage	hold	\N	ms	4	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:usage	hold	\N	ms	4	5.795	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:usage	hold	\N	ms	4	5.795	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:usage	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:usage	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:usage	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:usage	hold	4	req/min	4	1.089865373626325	10.241588675403696	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:usage	hold	4	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	latency_p50_ms	endpoint:user_profile	hold	\N	ms	3	\N	\N	lower
smoke-20261127-041612-a654c6	latency_p95_ms	endpoint:user_profile	hold	\N	ms	3	11.796	\N	lower
smoke-20261127-041612-a654c6	latency_p99_ms	endpoint:user_profile	hold	\N	ms	3	11.796	\N	lower
smoke-20261127-041612-a654c6	ttft_p95_ms	endpoint:user_profile	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041612-a654c6	error_rate	endpoint:user_profile	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	rejected_rate	endpoint:user_profile	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041612-a654c6	throughput_rpm	endpoint:user_profile	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
smoke-20261127-041612-a654c6	throughput_worst_minute_rpm	endpoint:user_profile	hold	3	req/min	1	\N	\N	higher
smoke-20261127-041612-a654c6	cache_hit_rate	all	hold	0.8515901060070671	ratio	12	\N	\N	higher
smoke-20261127-041612-a654c6	host_cpu_pct	all	hold	62.46666666666667	%	12	\N	\N	lower
smoke-20261127-041612-a654c6	host_memory_pct	all	hold	9.216666666666667	%	12	\N	\N	lower
smoke-20261127-041612-a654c6	postgres_connections	all	hold	8	connections	12	\N	\N	lower
smoke-20261127-041612-a654c6	redis_memory_bytes	all	hold	1285881.3333333333	bytes	12	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p50_ms	all	ramp_up	\N	ms	10	6.457	902.025	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	all	ramp_up	\N	ms	10	588.249	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	all	ramp_up	\N	ms	10	902.025	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	all	ramp_up	\N	ms	6	307.015	\N	lower
smoke-20261127-041757-c78dcc	error_rate	all	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041757-c78dcc	rejected_rate	all	ramp_up	0	ratio	10	0	0.2775327998628892	lower
smoke-20261127-041757-c78dcc	throughput_rpm	all	ramp_up	120	req/min	10	57.544664353589205	220.6842725042133	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	all	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:simple_query	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:simple_query	ramp_up	\N	ms	3	7.096	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:simple_query	ramp_up	\N	ms	3	7.096	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:simple_query	ramp_up	\N	ms	3	4.163	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:simple_query	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:simple_query	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:simple_query	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:simple_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:complex_query	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:complex_query	ramp_up	\N	ms	3	902.025	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:complex_query	ramp_up	\N	ms	3	902.025	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:complex_query	ramp_up	\N	ms	3	307.015	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:complex_query	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:complex_query	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:complex_query	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:complex_query	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:tax_calculation	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	2	4.445	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:tax_calculation	ramp_up	\N	ms	2	11.551	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:tax_calculation	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:tax_calculation	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:tax_calculation	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:tax_calculation	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:tax_calculation	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:document_upload	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:document_upload	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:knowledge_search	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	2	9.056	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:knowledge_search	ramp_up	\N	ms	2	39.787	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:knowledge_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:knowledge_search	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:knowledge_search	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:knowledge_search	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:knowledge_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:user_operations	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:user_operations	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:user_operations	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:user_operations	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:user_operations	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:chat_complex	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	3	902.025	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:chat_complex	ramp_up	\N	ms	3	902.025	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:chat_complex	ramp_up	\N	ms	3	307.015	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:chat_complex	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:chat_complex	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:chat_complex	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:chat_complex	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:chat_simple	ramp_up	\N	ms	3	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	3	7.096	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:chat_simple	ramp_up	\N	ms	3	7.096	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:chat_simple	ramp_up	\N	ms	3	4.163	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:chat_simple	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:chat_simple	ramp_up	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:chat_simple	ramp_up	36	req/min	3	7.424065474747218	105.20727683690791	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:chat_simple	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:document_upload	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:document_upload	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:document_upload	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:document_upload	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:invoices	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:invoices	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:invoices	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:legal_search	ramp_up	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:legal_search	ramp_up	\N	ms	2	9.056	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:legal_search	ramp_up	\N	ms	2	39.787	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:legal_search	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:legal_search	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:legal_search	ramp_up	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:legal_search	ramp_up	24	req/min	2	2.906511342527581	86.69625201268754	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:legal_search	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:settings_read	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:settings_read	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:settings_read	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:settings_write	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:settings_write	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:settings_write	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:settings_write	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:settings_write	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_imu	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_imu	ramp_up	\N	ms	1	4.445	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_imu	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_imu	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_imu	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_imu	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_imu	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_irpef	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_irpef	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_irpef	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_irpef	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_irpef	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_iva	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_iva	ramp_up	\N	ms	1	11.551	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_iva	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_iva	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_iva	ramp_up	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_iva	ramp_up	12	req/min	1	0.30381369581147877	66.85972069126679	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_iva	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_surcharges	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_surcharges	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_surcharges	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:usage	ramp_up	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:usage	ramp_up	\N	ratio	0	\N	\N	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:usage	ramp_up	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	cache_hit_rate	all	ramp_up	\N	ratio	1	\N	\N	higher
smoke-20261127-041757-c78dcc	host_cpu_pct	all	ramp_up	0	%	1	\N	\N	lower
smoke-20261127-041757-c78dcc	host_memory_pct	all	ramp_up	15.6	%	1	\N	\N	lower
smoke-20261127-041757-c78dcc	postgres_connections	all	ramp_up	8	connections	1	\N	\N	lower
smoke-20261127-041757-c78dcc	redis_memory_bytes	all	ramp_up	1321168	bytes	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p50_ms	all	hold	7.277	ms	75	6.446	8.592	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	all	hold	901.224	ms	75	17.336	1073.069	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	all	hold	\N	ms	75	901.224	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	all	hold	311.736	ms	39	305.687	\N	lower
smoke-20261127-041757-c78dcc	error_rate	all	hold	0	ratio	75	0	0.04872384248280587	lower
smoke-20261127-041757-c78dcc	rejected_rate	all	hold	0	ratio	75	0	0.04872384248280587	lower
smoke-20261127-041757-c78dcc	throughput_rpm	all	hold	225	req/min	75	176.97677310435438	282.0394483464983	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	all	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:simple_query	hold	8.544	ms	21	6.51	13.903	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_irpef	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:simple_query	hold	901.224	ms	21	15.278	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:simple_query	hold	\N	ms	21	901.224	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:simple_query	hold	305.687	ms	21	8.99	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:simple_query	hold	0	ratio	21	0	0.154639018924847	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:simple_query	hold	0	ratio	21	0	0.154639018924847	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:simple_query	hold	63	req/min	21	38.997992952228564	96.30219220483022	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:simple_query	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:complex_query	hold	\N	ms	18	6.814	15.054	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:complex_query	hold	\N	ms	18	889.859	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:complex_query	hold	\N	ms	18	906.058	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:complex_query	hold	\N	ms	18	306.933	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:complex_query	hold	0	ratio	18	0	0.17587922364665765	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:complex_query	hold	0	ratio	18	0	0.17587922364665765	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:complex_query	hold	54	req/min	18	32.00382234119858	85.34328080258398	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:complex_query	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:tax_calculation	hold	\N	ms	15	4.39	7.78	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:tax_calculation	hold	\N	ms	15	7.78	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:tax_calculation	hold	\N	ms	15	9.428	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:tax_calculation	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:tax_calculation	hold	0	ratio	15	0	0.20388330103584862	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:tax_calculation	hold	0	ratio	15	0	0.20388330103584862	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:tax_calculation	hold	45	req/min	15	25.186158398349935	74.22065661445752	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:tax_calculation	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:document_upload	hold	\N	ms	8	5.43	18.419	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:document_upload	hold	\N	ms	8	10.104	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:document_upload	hold	\N	ms	8	12.253	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:document_upload	hold	0	ratio	8	0	0.32440756488388023	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:document_upload	hold	0	ratio	8	0	0.32440756488388023	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:document_upload	hold	24	req/min	8	10.361496530245507	47.289567660579934	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:document_upload	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:knowledge_search	hold	\N	ms	7	5.005	11.077	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:knowledge_search	hold	\N	ms	7	8.127	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:knowledge_search	hold	\N	ms	7	10.971	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:knowledge_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:knowledge_search	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:knowledge_search	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:knowledge_search	hold	21	req/min	7	8.443089154559603	43.268026085107145	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:knowledge_search	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	scenario:user_operations	hold	\N	ms	6	3.823	20.553	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	scenario:user_operations	hold	\N	ms	6	5.63	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	scenario:user_operations	hold	\N	ms	6	9.766	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	scenario:user_operations	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	scenario:user_operations	hold	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041757-c78dcc	rejected_rate	scenario:user_operations	hold	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041757-c78dcc	throughput_rpm	scenario:user_operations	hold	18	req/min	6	6.605682760472554	39.178422067556056	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	scenario:user_operations	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:chat_complex	hold	\N	ms	18	6.814	15.054	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:chat_complex	hold	\N	ms	18	889.859	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:chat_complex	hold	\N	ms	18	906.058	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:chat_complex	hold	\N	ms	18	306.933	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:chat_complex	hold	0	ratio	18	0	0.17587922364665765	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:chat_complex	hold	0	ratio	18	0	0.17587922364665765	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:chat_complex	hold	54	req/min	18	32.00382234119858	85.34328080258398	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:chat_complex	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:chat_simple	hold	8.544	ms	21	6.51	13.903	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:chat_simple	hold	901.224	ms	21	15.278	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:chat_simple	hold	\N	ms	21	901.224	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:chat_simple	hold	305.687	ms	21	8.99	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:chat_simple	hold	0	ratio	21	0	0.154639018924847	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:chat_simple	hold	0	ratio	21	0	0.154639018924847	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:chat_simple	hold	63	req/min	21	38.997992952228564	96.30219220483022	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:chat_simple	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:document_upload	hold	\N	ms	8	5.43	18.419	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:document_upload	hold	\N	ms	8	10.104	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:document_upload	hold	\N	ms	8	12.253	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:document_upload	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:document_upload	hold	0	ratio	8	0	0.32440756488388023	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:document_upload	hold	0	ratio	8	0	0.32440756488388023	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:document_upload	hold	24	req/min	8	10.361496530245507	47.289567660579934	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:document_upload	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:invoices	hold	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:invoices	hold	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:invoices	hold	\N	ms	1	20.553	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:invoices	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:invoices	hold	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:invoices	hold	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:invoices	hold	3	req/min	1	0.07595342395286969	16.714930172816697	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:invoices	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:legal_search	hold	\N	ms	7	5.005	11.077	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:legal_search	hold	\N	ms	7	8.127	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:legal_search	hold	\N	ms	7	10.971	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:legal_search	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:legal_search	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:legal_search	hold	0	ratio	7	0	0.3543304350666874	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:legal_search	hold	21	req/min	7	8.443089154559603	43.268026085107145	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:legal_search	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:settings_read	hold	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:settings_read	hold	\N	ms	2	3.823	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:settings_read	hold	\N	ms	2	5.63	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:settings_read	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:settings_read	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:settings_read	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:settings_read	hold	6	req/min	2	0.7266278356318953	21.674063003171884	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:settings_read	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:settings_write	hold	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:settings_write	hold	\N	ms	2	4.197	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:settings_write	hold	\N	ms	2	4.325	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:settings_write	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:settings_write	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:settings_write	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:settings_write	hold	6	req/min	2	0.7266278356318953	21.674063003171884	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:settings_write	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_imu	hold	\N	ms	3	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_imu	hold	\N	ms	3	7.78	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_imu	hold	\N	ms	3	7.78	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_imu	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_imu	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_imu	hold	0	ratio	3	0	0.5614970317550455	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_imu	hold	9	req/min	3	1.8560163686868045	26.301819209226977	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_imu	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_irpef	hold	\N	ms	2	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_irpef	hold	\N	ms	2	5.759	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_irpef	hold	\N	ms	2	5.856	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_irpef	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_irpef	hold	0	ratio	2	0	0.6576197724933469	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_irpef	hold	6	req/min	2	0.7266278356318953	21.674063003171884	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_irpef	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_iva	hold	\N	ms	6	4.078	9.428	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_iva	hold	\N	ms	6	6.054	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_iva	hold	\N	ms	6	7.874	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_iva	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_iva	hold	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_iva	hold	0	ratio	6	0	0.39033428790216534	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_iva	hold	18	req/min	6	6.605682760472554	39.178422067556056	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_iva	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:tax_surcharges	hold	\N	ms	4	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:tax_surcharges	hold	\N	ms	4	4.39	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:tax_surcharges	hold	\N	ms	4	4.39	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:tax_surcharges	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:tax_surcharges	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:tax_surcharges	hold	0	ratio	4	0	0.4898908364545973	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:tax_surcharges	hold	12	req/min	4	3.269596120878975	30.72476602621109	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:tax_surcharges	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	latency_p50_ms	endpoint:usage	hold	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p95_ms	endpoint:usage	hold	\N	ms	1	\N	\N	lower
smoke-20261127-041757-c78dcc	latency_p99_ms	endpoint:usage	hold	\N	ms	1	9.766	\N	lower
smoke-20261127-041757-c78dcc	ttft_p95_ms	endpoint:usage	hold	\N	ms	0	\N	\N	lower
smoke-20261127-041757-c78dcc	error_rate	endpoint:usage	hold	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	rejected_rate	endpoint:usage	hold	0	ratio	1	0	0.7934506856227626	lower
smoke-20261127-041757-c78dcc	throughput_rpm	endpoint:usage	hold	3	req/min	1	0.07595342395286969	16.714930172816697	higher
smoke-20261127-041757-c78dcc	throughput_worst_minute_rpm	endpoint:usage	hold	\N	req/min	0	\N	\N	higher
smoke-20261127-041757-c78dcc	cache_hit_rate	all	hold	0.8571428571428571	ratio	4	\N	\N	higher
smoke-20261127-041757-c78dcc	host_cpu_pct	all	hold	65.375	%	4	\N	\N	lower
smoke-20261127-041757-c78dcc	host_memory_pct	all	hold	16.125	%	4	\N	\N	lower
smoke-20261127-041757-c78dcc	postgres_connections	all	hold	8	connections	4	\N	\N	lower
smoke-20261127-041757-c78dcc	redis_memory_bytes	all	hold	1309020	bytes	4	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p50_ms	all	hold	6.857	ms	56	5.909	9.11	lower
baseline-20261127-042225-815ee8	latency_p95_ms	all	hold	889.322	ms	56	23.637	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	all	hold	\N	ms	56	889.322	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	all	hold	309.356	ms	30	48.858	\N	lower
baseline-20261127-042225-815ee8	error_rate	all	hold	0	ratio	56	0	0.0641939367187634	lower
baseline-20261127-042225-815ee8	rejected_rate	all	hold	0	ratio	56	0	0.0641939367187634	lower
baseline-20261127-042225-815ee8	throughput_rpm	all	hold	56	req/min	56	42.301798182630215	72.72065800758494	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	all	hold	56	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:simple_query	hold	\N	ms	16	4.938	7.046	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:simple_query	hold	\N	ms	16	7.046	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:simple_query	hold	\N	ms	16	16.089	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:simple_query	hold	\N	ms	16	5.425	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:simple_query	hold	0	ratio	16	0	0.1936076805344365	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:simple_query	hold	0	ratio	16	0	0.1936076805344365	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:simple_query	hold	16	req/min	16	9.14538245364153	25.982997597560946	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:simple_query	hold	16	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:complex_query	hold	\N	ms	14	5.583	889.322	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:complex_query	hold	\N	ms	14	51.061	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:complex_query	hold	\N	ms	14	906.281	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:complex_query	hold	\N	ms	14	48.858	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:complex_query	hold	0	ratio	14	0	0.2153108027376358	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:complex_query	hold	0	ratio	14	0	0.2153108027376358	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:complex_query	hold	14	req/min	14	7.6539302763006	23.48962112183558	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:complex_query	hold	14	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:tax_calculation	hold	\N	ms	11	3.967	14.604	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:tax_calculation	hold	\N	ms	11	11.27	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:tax_calculation	hold	\N	ms	11	14.604	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:tax_calculation	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:tax_calculation	hold	0	ratio	11	0	0.2588329669680317	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:tax_calculation	hold	0	ratio	11	0	0.2588329669680317	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:tax_calculation	hold	11	req/min	11	5.491160367236839	19.68203851330195	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:tax_calculation	hold	11	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:document_upload	hold	\N	ms	6	5.904	22.548	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:document_upload	hold	\N	ms	6	13.85	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:document_upload	hold	\N	ms	6	16.235	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:document_upload	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:document_upload	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:document_upload	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:document_upload	hold	6	req/min	6	2.201894253490851	13.059474022518685	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:document_upload	hold	6	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:knowledge_search	hold	\N	ms	6	5.224	23.637	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:knowledge_search	hold	\N	ms	6	6.857	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:knowledge_search	hold	\N	ms	6	22.986	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:knowledge_search	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:knowledge_search	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:knowledge_search	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:knowledge_search	hold	6	req/min	6	2.201894253490851	13.059474022518685	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:knowledge_search	hold	6	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	scenario:user_operations	hold	\N	ms	3	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	scenario:user_operations	hold	\N	ms	3	9.11	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	scenario:user_operations	hold	\N	ms	3	9.11	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	scenario:user_operations	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	scenario:user_operations	hold	0	ratio	3	0	0.5614970317550455	lower
baseline-20261127-042225-815ee8	rejected_rate	scenario:user_operations	hold	0	ratio	3	0	0.5614970317550455	lower
baseline-20261127-042225-815ee8	throughput_rpm	scenario:user_operations	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	scenario:user_operations	hold	3	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:chat_complex	hold	\N	ms	14	5.583	889.322	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:chat_complex	hold	\N	ms	14	51.061	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:chat_complex	hold	\N	ms	14	906.281	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:chat_complex	hold	\N	ms	14	48.858	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:chat_complex	hold	0	ratio	14	0	0.2153108027376358	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:chat_complex	hold	0	ratio	14	0	0.2153108027376358	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:chat_complex	hold	14	req/min	14	7.6539302763006	23.48962112183558	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:chat_complex	hold	14	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:chat_simple	hold	\N	ms	16	4.938	7.046	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:chat_simple	hold	\N	ms	16	7.046	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:chat_simple	hold	\N	ms	16	16.089	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:chat_simple	hold	\N	ms	16	5.425	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:chat_simple	hold	0	ratio	16	0	0.1936076805344365	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:chat_simple	hold	0	ratio	16	0	0.1936076805344365	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:chat_simple	hold	16	req/min	16	9.14538245364153	25.982997597560946	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:chat_simple	hold	16	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:document_upload	hold	\N	ms	6	5.904	22.548	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:document_upload	hold	\N	ms	6	13.85	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:document_upload	hold	\N	ms	6	16.235	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:document_upload	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:document_upload	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:document_upload	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:document_upload	hold	6	req/min	6	2.201894253490851	13.059474022518685	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:usage	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:document_upload	hold	6	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:invoices	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:invoices	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:invoices	hold	\N	ms	1	10.161	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:invoices	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:invoices	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:invoices	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:invoices	hold	1	req/min	1	0.025317807984289897	5.571643390938898	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:invoices	hold	1	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:legal_search	hold	\N	ms	6	5.224	23.637	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:legal_search	hold	\N	ms	6	6.857	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:legal_search	hold	\N	ms	6	22.986	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:legal_search	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:legal_search	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:legal_search	hold	0	ratio	6	0	0.39033428790216534	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:legal_search	hold	6	req/min	6	2.201894253490851	13.059474022518685	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:legal_search	hold	6	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:settings_read	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:settings_read	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:settings_read	hold	\N	ms	1	9.11	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:settings_read	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:settings_read	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:settings_read	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:settings_read	hold	1	req/min	1	0.025317807984289897	5.571643390938898	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:settings_read	hold	1	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:tax_imu	hold	\N	ms	3	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:tax_imu	hold	\N	ms	3	4.279	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:tax_imu	hold	\N	ms	3	4.279	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:tax_imu	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:tax_imu	hold	0	ratio	3	0	0.5614970317550455	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:tax_imu	hold	0	ratio	3	0	0.5614970317550455	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:tax_imu	hold	3	req/min	3	0.6186721228956015	8.767273069742325	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:tax_imu	hold	3	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:tax_irpef	hold	\N	ms	2	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:tax_irpef	hold	\N	ms	2	4.486	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:tax_irpef	hold	\N	ms	2	14.604	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:tax_irpef	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:tax_irpef	hold	0	ratio	2	0	0.6576197724933469	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:tax_irpef	hold	0	ratio	2	0	0.6576197724933469	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:tax_irpef	hold	2	req/min	2	0.24220927854396507	7.224687667723961	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:tax_irpef	hold	2	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:tax_iva	hold	\N	ms	4	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:tax_iva	hold	\N	ms	4	11.27	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:tax_iva	hold	\N	ms	4	11.27	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:tax_iva	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:tax_iva	hold	0	ratio	4	0	0.4898908364545973	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:tax_iva	hold	0	ratio	4	0	0.4898908364545973	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:tax_iva	hold	4	req/min	4	1.089865373626325	10.241588675403696	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:tax_iva	hold	4	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p50_ms	endpoint:tax_surcharges	hold	\N	ms	2	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:tax_surcharges	hold	\N	ms	2	3.967	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:tax_surcharges	hold	\N	ms	2	5.262	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:tax_surcharges	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:tax_surcharges	hold	0	ratio	2	0	0.6576197724933469	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:tax_surcharges	hold	0	ratio	2	0	0.6576197724933469	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:tax_surcharges	hold	2	req/min	2	0.24220927854396507	7.224687667723961	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:tax_surcharges	hold	2	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	latency_p95_ms	endpoint:usage	hold	\N	ms	1	\N	\N	lower
baseline-20261127-042225-815ee8	latency_p99_ms	endpoint:usage	hold	\N	ms	1	7.595	\N	lower
baseline-20261127-042225-815ee8	ttft_p95_ms	endpoint:usage	hold	\N	ms	0	\N	\N	lower
baseline-20261127-042225-815ee8	error_rate	endpoint:usage	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	rejected_rate	endpoint:usage	hold	0	ratio	1	0	0.7934506856227626	lower
baseline-20261127-042225-815ee8	throughput_rpm	endpoint:usage	hold	1	req/min	1	0.025317807984289897	5.571643390938898	higher
baseline-20261127-042225-815ee8	throughput_worst_minute_rpm	endpoint:usage	hold	1	req/min	1	\N	\N	higher
baseline-20261127-042225-815ee8	cache_hit_rate	all	hold	0.8928571428571429	ratio	12	\N	\N	higher
baseline-20261127-042225-815ee8	host_cpu_pct	all	hold	79.49166666666667	%	12	\N	\N	lower
baseline-20261127-042225-815ee8	host_memory_pct	all	hold	10.850000000000001	%	12	\N	\N	lower
baseline-20261127-042225-815ee8	postgres_connections	all	hold	8	connections	12	\N	\N	lower
baseline-20261127-042225-815ee8	redis_memory_bytes	all	hold	1317601.3333333333	bytes	12	\N	\N	lower
\.


--
-- Data for Name: run; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.run (run_id, suite, suite_run_id, profile, engine, target, verdict, started, ended, comparability_key, comparability, environment, bundle_uri, inserted_at, updated_at) FROM stdin;
smoke-20261127-041423-5e960a	\N	\N	smoke	locust	demo	PASS	2026-11-27 04:14:28.009266+00	2026-11-27 04:16:00.837549+00	86cf0afb64e6b7df371513ed4f91904e	{"users": 10, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 10, "users_from": 0}, {"name": "hold", "end_s": 65.0, "phase": "hold", "start_s": 5.0, "users_to": 10, "users_from": 10}], "target": "demo", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_gib": 24}, "questions": {"new_share": 0.15, "pool_size": 40, "zipf_exponent": 1.1}, "size_band": 4, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}}}	{"notes": [], "redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}, "row_counts": {"user": 0, "clients": 0, "session": 0, "studios": 0, "settings": 0, "documents": 0, "checkpoints": 0, "regulations": 12000, "tax_counter": 1, "audit_events": 0, "chat_messages": 0, "checkpoint_blobs": 0, "tax_calculations": 0, "checkpoint_writes": 0}, "app_version": "1.0.0", "process_start": "2026-11-27T04:14:06.780000Z", "round_trip_ms": 0.051, "generator_host": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_bytes": 25276514304}, "migration_head": null}	/srv/loadtest/load_test_results/smoke-20261127-041423-5e960a	2026-11-27 04:16:07.972887+00	2026-11-27 04:16:07.972887+00
smoke-20261127-041612-a654c6	\N	\N	smoke	locust	demo	PASS	2026-11-27 04:16:13.644447+00	2026-11-27 04:17:26.77365+00	86cf0afb64e6b7df371513ed4f91904e	{"users": 10, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 10, "users_from": 0}, {"name": "hold", "end_s": 65.0, "phase": "hold", "start_s": 5.0, "users_to": 10, "users_from": 10}], "target": "demo", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_gib": 24}, "questions": {"new_share": 0.15, "pool_size": 40, "zipf_exponent": 1.1}, "size_band": 4, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}}}	{"notes": [], "redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}, "row_counts": {"user": 0, "clients": 0, "session": 0, "studios": 0, "settings": 0, "documents": 0, "checkpoints": 0, "regulations": 12000, "tax_counter": 1, "audit_events": 0, "chat_messages": 0, "checkpoint_blobs": 0, "tax_calculations": 0, "checkpoint_writes": 0}, "app_version": "1.0.0", "process_start": "2026-11-27T04:14:06.780000Z", "round_trip_ms": 0.047, "generator_host": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_bytes": 25276514304}, "migration_head": null}	/srv/loadtest/load_test_results/smoke-20261127-041612-a654c6	2026-11-27 04:17:44.186533+00	2026-11-27 04:17:44.186533+00
smoke-20261127-041757-c78dcc	\N	\N	smoke	locust	demo	PASS	2026-11-27 04:18:00.356485+00	2026-11-27 04:18:44.717295+00	9b89c8e6a061a1e84f48ae82017cc990	{"users": 4, "engine": "locust", "stages": [{"name": "ramp_up", "end_s": 5.0, "phase": "ramp_up", "start_s": 0.0, "users_to": 4, "users_from": 0}, {"name": "hold", "end_s": 25.0, "phase": "hold", "start_s": 5.0, "users_to": 4, "users_from": 4}], "target": "demo", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "smoke", "hardware": null, "generator": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_gib": 24}, "questions": {"new_share": 0.15, "pool_size": 40, "zipf_exponent": 1.1}, "size_band": 4, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}}}	{"notes": [], "redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}, "row_counts": {"user": 0, "clients": 0, "session": 0, "studios": 0, "settings": 0, "documents": 0, "checkpoints": 0, "regulations": 12000, "tax_counter": 1, "audit_events": 0, "chat_messages": 0, "checkpoint_blobs": 0, "tax_calculations": 0, "checkpoint_writes": 0}, "app_version": "1.0.0", "process_start": "2026-11-27T04:14:06.780000Z", "round_trip_ms": 0.033, "generator_host": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_bytes": 25276514304}, "migration_head": null}	/srv/loadtest/load_test_results/smoke-20261127-041757-c78dcc	2026-11-27 04:18:52.746964+00	2026-11-27 04:18:52.746964+00
baseline-20261127-042225-815ee8	\N	\N	baseline	locust	demo	PASS	2026-11-27 04:22:27.053189+00	2026-11-27 04:23:32.784529+00	c876e1ee3994acbd62a4b260485f3871	{"users": 1, "engine": "locust", "stages": [{"name": "hold", "end_s": 60.0, "phase": "hold", "start_s": 0.0, "users_to": 1, "users_from": 1}], "target": "demo", "mix_pct": {"simple_query": 30, "complex_query": 25, "document_upload": 10, "tax_calculation": 20, "user_operations": 5, "knowledge_search": 10}, "profile": "baseline", "hardware": null, "generator": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_gib": 24}, "questions": {"new_share": 0.15, "pool_size": 40, "zipf_exponent": 1.1}, "size_band": 4, "load_model": "closed", "think_time_s": {"max": 1.5, "min": 0.5}, "server_settings": {"redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}}}	{"notes": [], "redis": {"version": "7.2.4", "maxmemory": "134217728", "valkey_version": "9.1.2", "maxmemory_policy": "allkeys-lru"}, "postgres": {"fsync": "off", "work_mem": "4MB", "max_wal_size": "1GB", "server_version": "18.6", "shared_buffers": "128MB", "max_connections": "100", "random_page_cost": "4", "synchronous_commit": "off", "effective_cache_size": "4GB", "max_parallel_workers": "8"}, "row_counts": {"user": 0, "clients": 0, "session": 0, "studios": 0, "settings": 0, "documents": 0, "checkpoints": 0, "regulations": 12000, "tax_counter": 1, "audit_events": 0, "chat_messages": 0, "checkpoint_blobs": 0, "tax_calculations": 0, "checkpoint_writes": 0}, "app_version": "1.0.0", "process_start": "2026-11-27T04:14:06.780000Z", "round_trip_ms": 0.039, "generator_host": {"cpu_count": 2, "cpu_model": "AMD EPYC", "memory_bytes": 25276514304}, "migration_head": null}	/srv/loadtest/load_test_results/baseline-20261127-042225-815ee8	2026-11-27 04:23:45.4504+00	2026-11-27 04:23:45.4504+00
\.


--
-- Data for Name: target_lock; Type: TABLE DATA; Schema: loadtest; Owner: -
--

COPY loadtest.target_lock (target, owner, run_id, acquired, expires) FROM stdin;
demo	load_test_manual/manual__2026-11-27T04:30:00+00:00	smoke-20261127-043000-0f1e2d	2026-11-27 04:23:54.811971+00	2026-11-27 04:28:54.811971+00
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



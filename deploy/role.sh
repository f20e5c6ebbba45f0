#!/bin/sh
# Runs once, when the postgres container makes its cluster: the application's role is bound by row-level security.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$ONWARD_PASSWORD" --username postgres <<'SQL'
create role onward login createdb nosuperuser nobypassrls password :'password';
grant pg_read_all_stats to onward;
alter role onward set transaction_timeout = '60s';
alter role onward set idle_in_transaction_session_timeout = '10s';
create database onward owner onward;
SQL

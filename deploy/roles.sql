-- The owner of the database, and a role for each duty (docs/operators.md, PostgreSQL): run once, when the database
-- server of compose.yaml starts with an empty directory. No role has a password yet, so none can connect.
CREATE ROLE makul_owner LOGIN CREATEROLE;
CREATE DATABASE makul OWNER makul_owner;
SET ROLE makul_owner;
CREATE ROLE makul_service LOGIN;
CREATE ROLE makul_oversight LOGIN;
CREATE ROLE makul_subject LOGIN;
CREATE ROLE makul_desk LOGIN;
CREATE ROLE makul_notifying LOGIN;
CREATE ROLE makul_sequencer LOGIN;

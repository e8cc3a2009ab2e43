"""The shipped flows against PostgreSQL and a CRM that answers over HTTP, all on this machine."""

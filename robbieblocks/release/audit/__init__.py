"""The audit log: what people did to what is live, who, why and when; no database is needed."""

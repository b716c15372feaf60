"""What the worker has to do with systemd."""

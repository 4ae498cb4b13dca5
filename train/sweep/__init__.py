"""Many runs by a plan, below one MLflow run; any number of processes share the work."""

"""How the flows are offered on a Prefect server: prefect.yaml, and what it takes to deploy and to serve it."""

"""`glan pause`, `glan resume`, `glan limit`: runs that are going, wherever they do, through their Prefect server."""

from flows.terminal.screen import explained, out, quiet_prefect


def pause_runs(paused: bool) -> None:
    """`glan pause` and `glan resume`."""
    quiet_prefect()
    from flows.server import lasting_server
    from tasks.controls import set_paused

    with explained():
        lasting_server()
        set_paused(paused)
    out.print("All runs pause within seconds; calls in flight end." if paused else "All runs go on within seconds.")


def limit_runs(calls: int | None) -> None:
    """`glan limit`."""
    quiet_prefect()
    from flows.server import lasting_server
    from tasks.controls import set_limit

    with explained():
        lasting_server()
        set_limit(calls)
    most = "as many calls at once as GLAN_MAX_CONCURRENCY says" if calls is None else f"at most {calls:,} calls at once"
    out.print(f"Within seconds, each process makes {most}.", highlight=False)

"""The plain page that says what is at the door."""

from html import escape
from typing import Final

from emulator.core.clock import iso
from harness.door.door import Door

_FRAME: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>smetsbench: participant door</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}}
table{{border-collapse:collapse;display:block;overflow-x:auto}}td,th{{padding:.2rem .8rem .2rem 0;
text-align:left;vertical-align:top}}code{{background:#eee;padding:0 .2rem}}</style></head><body>
<h1>Participant door</h1>
<p>Emulated homes behind a DSP that speaks DUIS 5.4. Nothing here is real: homes, parties and keys
are made up, and codes of the door are its own.</p>
<table>
<tr><th>POST /duis</th><td>a signed DUIS request (<code>application/xml</code>): 200 with the signed
response, 202 with an id where it comes later, 400 with a JSON error</td></tr>
<tr><th>GET /duis/ID</th><td>200 with the response, 204 while there is none;
<code>?answer=2</code> for a second one</td></tr>
<tr><th>GET /alerts?after=N</th><td>alerts with numbers above N, as JSON;
<code>&amp;user=EUI-64</code> for one user's</td></tr>
</table>
<h2>Now</h2>
<p>Bench time {now}; {requests} requests, {answers} answers, {alerts} alerts.</p>
<h2>Service users</h2><table><tr><th>EUI-64</th><th>roles</th></tr>{users}</table>
<p>The DCC is <code>{dcc}</code>: requests that are for no device go to it.</p>
<h2>Homes</h2>
<table><tr><th>home</th><th>device</th><th>EUI-64</th><th>model</th></tr>{homes}</table>
</body></html>
"""


def page(door: Door) -> str:
    """Return the page as it is now."""
    roles = door.options.homes.suppliers
    users = "".join(
        _row(str(user), ", ".join(sorted(roles.get(user, ())))) for user in door.world.trust.users
    )
    homes = "".join(
        _row(home.ref, device.role, device.eui64, device.profile)
        for home in door.options.homes.all
        for device in home.devices
    )
    return _FRAME.format(
        now=iso(door.intake.now()),
        users=users,
        homes=homes,
        dcc=door.world.trust.dsp,
        **door.exchange.counts(),
    )


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"

"""The portal for a server behind a proxy: `granian --interface wsgi portal.wsgi:application`."""

import signal

# granian forks its workers with its own handler, which only notes SIGTERM: a worker that is still loading would not
# hear it, and the end would wait for the kill. Until granian sets the worker's handler, SIGTERM simply ends it.
signal.signal(signal.SIGTERM, signal.SIG_DFL)

from portal import cli  # noqa: E402 loading is what takes long
from portal.core import collecting, health, serving  # noqa: E402

app = cli.migrated(cli.loaded())
with app.app_context():
    health.beat(health.WEB)
application = serving.application(app)
collecting.settle()

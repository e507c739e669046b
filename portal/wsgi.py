"""The portal for a server behind a proxy: `granian --interface wsgi portal.wsgi:application`."""

from portal import cli
from portal.core import health, serving

app = cli.migrated(cli.loaded())
with app.app_context():
    health.beat(health.WEB)
application = serving.application(app)

"""The commands of a site: `portal migrate`, `serve`, `jobs`, `demo`, `backup`, `restore`, `verify`, `rotate-keys`."""

import sys

import click
from flask import Flask

from portal import config as configuration
from portal.app import create_app
from portal.config import BadConfig, Config
from portal.core import migrating, sealing


@click.group()
def main() -> None:
    """Community portal."""


def loaded() -> Config:
    """The configuration, or an end with the sentence that says what is wrong."""
    try:
        return configuration.load()
    except BadConfig as bad:
        click.echo(f"portal: {bad}", err=True)
        sys.exit(2)


def application(config: Config) -> Flask:
    try:
        return create_app(config)
    except BadConfig as bad:
        click.echo(f"portal: {bad}", err=True)
        sys.exit(2)


@main.command()
def migrate() -> None:
    """Bring the database to this version, and make the key file at the first start."""
    config = loaded()
    sealing.load(config.keys_file, create=True)
    migrating.upgrade(config)
    click.echo(f"database at {migrating.head()}")


if __name__ == "__main__":
    main()

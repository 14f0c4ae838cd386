"""Where this site lives and how it is reached: read once, from the environment and `instance/`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from formloop.core import clock

ROBOTS = {
    "dingtalk": ("FORMLOOP_DINGTALK_URL", "FORMLOOP_DINGTALK_SECRET"),
    "wecom": ("FORMLOOP_WECOM_URL", ""),
    "feishu": ("FORMLOOP_FEISHU_URL", "FORMLOOP_FEISHU_SECRET"),
}
_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot of a group chat: the web address it is called at, and the secret it is signed with, if any."""

    url: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a site.

    `public_url` is how people reach it; it is needed as soon as the site listens beyond this machine.
    `redis_url` is None on one machine: the site then starts a queue server of its own. What was deleted more
    than `bin_days` days ago is purged every night; 0 keeps it. Letters go out by `smtp_url` and, to group chats,
    by `robots`; without them people are told in the app alone. `private_hosts` are the addresses inside the house, with
    their ports, that may be called although they are not public.
    """

    instance: Path
    database_url: str
    secret_key: str
    redis_url: str | None = None
    public_url: str | None = None
    zone: str = "Asia/Shanghai"
    locale: str = "en"
    demo: bool = False
    bin_days: int = 0
    smtp_url: str | None = None
    mail_from: str = "formloop@localhost"
    robots: Mapping[str, Robot] = field(default_factory=dict)
    private_hosts: frozenset[tuple[str, int]] = frozenset()
    statics: Path = Path("static")
    packs: Path = Path("templates_library")
    docs: Path = Path("docs")

    @property
    def files(self) -> Path:
        """Where uploaded files are kept, outside the web root."""
        return self.instance / "files"

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is the one-machine default."""
        return self.database_url.startswith("sqlite")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `FORMLOOP_…` variables; the instance folder and its secret key are made when missing."""
    env = os.environ if environment is None else environment
    instance = Path(env.get("FORMLOOP_INSTANCE", "instance")).resolve()
    (instance / "files").mkdir(parents=True, exist_ok=True)
    url = env.get("FORMLOOP_DATABASE_URL") or f"sqlite:///{instance / 'formloop.db'}"
    return Settings(
        instance=instance,
        database_url=_with_driver(url),
        secret_key=_secret_key(instance),
        redis_url=env.get("FORMLOOP_REDIS_URL"),
        public_url=env.get("FORMLOOP_PUBLIC_URL"),
        zone=env.get("FORMLOOP_ZONE", "Asia/Shanghai"),
        locale=env.get("FORMLOOP_LOCALE", "en"),
        smtp_url=env.get("FORMLOOP_SMTP_URL") or None,
        mail_from=env.get("FORMLOOP_MAIL_FROM") or "formloop@localhost",
        robots=_robots(env),
        private_hosts=_private_hosts(env.get("FORMLOOP_PRIVATE_HOSTS", "")),
        bin_days=_days(env.get("FORMLOOP_BIN_DAYS", "0")),
        demo=env.get("FORMLOOP_DEMO", "") == "1" or (instance / "demo").exists(),
        statics=_beside("static", "_static"),
        packs=_beside("templates_library", "_templates_library"),
        docs=_beside("docs", "_docs"),
    )


def _robots(env: Mapping[str, str]) -> dict[str, Robot]:
    return {
        name: Robot(env[url], env.get(secret, "")) for name, (url, secret) in ROBOTS.items() if env.get(url)
    }


def _private_hosts(said: str) -> frozenset[tuple[str, int]]:
    """`10.0.0.5:8443, [fd00::5]:443` as addresses with their ports."""
    found = set()
    for each in filter(None, (part.strip() for part in said.split(","))):
        host, _, port = each.rpartition(":")
        try:
            found.add((str(ip_address(host.strip("[]"))), int(port)))
        except ValueError as error:
            wanted = "FORMLOOP_PRIVATE_HOSTS lists addresses with ports, such as 10.0.0.5:8443"
            raise ValueError(f"{wanted}, not “{each}”.") from error
    return frozenset(found)


def _days(said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) < 6):
        raise ValueError(f"FORMLOOP_BIN_DAYS is a number of days, not “{said}”.")
    return int(said)


def _with_driver(url: str) -> str:
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _secret_key(instance: Path) -> str:
    path = instance / "secret_key"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(clock.new_secret())
    return path.read_text("utf-8").strip()


def _beside(in_checkout: str, in_wheel: str) -> Path:
    """A folder of the checkout, or its copy inside an installed wheel."""
    here = _PACKAGE.parents[1] / in_checkout
    return here if here.is_dir() else _PACKAGE / in_wheel

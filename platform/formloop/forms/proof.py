"""Proof `fields`: what a hidden field holds changes no answer, whichever way it is asked about.

Records exist with the values A in fields that a person may not see. Every question that person can ask is asked
and its answer kept. Then the values become B, behind the program's back so that nothing else changes, and every
question is asked again: each answer must be the same to the last byte. Whoever may see the fields must notice.
"""

import html
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from formloop.access import people, sessions
from formloop.access.actor import SYSTEM, get_actor
from formloop.access.signing import COOKIE
from formloop.core import clock
from formloop.db import connection, engine, transactional
from formloop.definitions import service as definitions
from formloop.forms import jobs, service
from formloop.forms.filters import operators
from formloop.forms.kind import get_form
from formloop.forms.outside import Given  # noqa: F401
from formloop.settings import read_settings

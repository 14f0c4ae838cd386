"""Whether the states of a form's records tell people anything."""

from collections.abc import Callable

from formloop.forms.spec import FormSpec

Use = Callable[[str], bool]
_uses: list[Use] = []


def note_use(use: Use) -> Use:
    """Let `use(form)` say that something moves records of a form from state to state (a workflow does)."""
    if use not in _uses:
        _uses.append(use)
    return use


def are_telling(spec: FormSpec) -> bool:
    """Whether lists and records show the state: several are defined, or something uses the usual ones."""
    if "x-states" in spec.document:
        return len(spec.states) > 1
    return are_moved(spec.key)


def are_moved(form: str) -> bool:
    """Whether something moves records of a form from state to state."""
    return any(use(form) for use in _uses)

"""A case under another version of its workflow, pure: every place it stands at must have its like there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from formloop.core.text import M, Message
from formloop.workflows.nodes.renewing import asks_otherwise
from formloop.workflows.spec import Step, Workflow
from formloop.workflows.state import State, Token

T = TypeVar("T")
Mapped = Mapping[str, str]


def remap(old: Workflow, new: Workflow, state: State, mapping: Mapped) -> tuple[State | None, list[Message]]:
    """The state under the new version, or why it does not fit. Steps that are not mapped keep their id."""
    problems: list[Message] = []
    tokens = []
    for token in state.tokens:
        found = _token(old, new, token, mapping)
        if isinstance(found, Token):
            tokens.append(found)
        else:
            problems.append(found)
    problems += _laid_together(old, state.tokens, mapping)
    if problems:
        return None, problems
    passed = tuple(key for key in (_like(key, mapping) for key in state.passed) if key in new.steps)
    return (
        replace(
            state,
            tokens=tuple(tokens),
            passed=passed,
            hands={k: v for k, v in _renamed(state.hands, mapping).items() if k in passed},
            variables=_renamed(state.variables, mapping),
            chosen=_renamed(state.chosen, mapping),
        ),
        [],
    )


def _like(key: str, mapping: Mapped) -> str:
    return mapping.get(key, key)


def _renamed(found: Mapping[str, T], mapping: Mapped) -> dict[str, T]:
    return {_like(key, mapping): value for key, value in found.items()}


def _token(old: Workflow, new: Workflow, token: Token, mapping: Mapped) -> Token | Message:
    """The token at its new step; what was to come straight back is kept where all of it fits."""
    parked = [_parked(old, new, each, mapping) for each in token.parked]
    kept = tuple(each for each in parked if isinstance(each, Token))
    if len(kept) < len(parked):
        kept = ()
    if not token.at:
        return replace(token, parked=kept)
    here, there = old.steps[token.at], new.steps.get(_like(token.at, mapping))
    if there is None:
        return M("“{step}” has no step of the new version.", step=here.called)
    if there.node.name != here.node.name:
        return M("“{step}” is of another kind in the new version.", step=here.called)
    if there.blocks != _blocks(here, mapping):
        return M("“{step}” stands inside other branches in the new version.", step=here.called)
    return replace(token, at=there.id, parked=kept)


def _parked(old: Workflow, new: Workflow, token: Token, mapping: Mapped) -> Token | Message:
    """What is to come straight back; where the new version asks otherwise there, it begins anew then."""
    found = _token(old, new, token, mapping)
    if isinstance(found, Token) and found.at and asks_otherwise(old.steps[token.at], new.steps[found.at]):
        return replace(found, seats=())
    return found


def list_renewed(old: Workflow, new: Workflow, before: State, state: State) -> list[int]:
    """The places, by their rounds, at which the new version asks otherwise."""
    pairs = zip(before.tokens, state.tokens, strict=True)
    return [
        there.round
        for here, there in pairs
        if here.at and asks_otherwise(old.steps[here.at], new.steps[there.at])
    ]


def _laid_together(old: Workflow, tokens: Sequence[Token], mapping: Mapped) -> list[Message]:
    """Steps and branches in which the case stands at once and which the mapping makes one: it would go on there twice."""
    stands = [old.steps[each.at] for token in tokens for each in (token, *token.parked) if each.at]
    places: dict[str, Step] = {}
    for step in stands:
        places |= {step.id: step} | {branch: step for _, branch in step.blocks}
    found, taken = [], dict[str, str]()
    for key, step in places.items():
        other = taken.setdefault(_like(key, mapping), key)
        if other != key and places[other] is not step:
            text = M(
                "“{step}” and “{other}” would stand at the same place.",
                step=places[other].called,
                other=step.called,
            )
            found.append(text)
    return found


def _blocks(step: Step, mapping: Mapped) -> tuple[tuple[str, str], ...]:
    """The blocks around a step as the new version should have them; a loop's only way is called like the loop."""
    return tuple((_like(block, mapping), _like(branch, mapping)) for block, branch in step.blocks)

"""One page about a search: what was spent, what was found, and what may be claimed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.evidence.plots import each_against, history, ten_best
from hpt_helpers.evidence.problem import Problem
from hpt_helpers.evidence.questions import (
    BestAgain,
    Choice,
    Compared,
    EarlyOrder,
    Finalists,
    Guesses,
    Ties,
    choice_of,
)
from hpt_helpers.evidence.sealed_test import TestScore
from hpt_helpers.evidence.sensitivity import Importance
from hpt_helpers.trials import config_of, incumbent


def report(
    problem: Problem,
    trials: pd.DataFrame,
    *,
    guesses: Guesses | None = None,
    early: EarlyOrder | None = None,
    again: BestAgain | None = None,
    ties: Ties | None = None,
    finalists: Finalists | None = None,
    compared: Compared | None = None,
    important: Importance | None = None,
    score: TestScore | None = None,
    chosen: Choice | None = None,
    title: str = "What the search found",
) -> Path:
    """Write a page of Markdown, report.md, with its figures into the problem's folder.

    trials: the record of the search. The rest is what the questions returned, as far as they were
    asked; what was not asked, the page says was not. compared: the finalists' winner, as ours,
    against the best guess. chosen: what you take; None for the best guess where the winner was not
    told to be better, and else for the winner.
    Returns the page's path. It claims only what an answer of these supports.
    """
    import matplotlib.pyplot as plt

    folder = Path(problem.folder)
    figures = {"history": history(trials), "each": each_against(trials, problem.space)}
    for name, ax in figures.items():
        ax.figure.savefig(folder / f"{name}.png", dpi=110)
        plt.close(ax.figure)
    if chosen is None:
        chosen = finalists if finalists is not None else trials
        if guesses is not None and compared is not None and compared.verdict != "ours":
            chosen = guesses
    config, n_epochs = choice_of(problem, chosen)
    parts = [
        f"# {title}",
        f"**Chosen:** `{config}`, trained for {n_epochs} of {problem.n_epochs} epochs.",
        "## What may be claimed",
        *(f"- {claim}" for claim in claims(trials, guesses, again, finalists, compared, score)),
        "## What was spent",
        _markdown(_spent(problem, trials)),
        "## The search",
        f"![{figures['history'].alt_text}](history.png)",
        _markdown(ten_best(trials).reset_index()),
        "![the loss against each hyperparameter](each.png)",
        "## The questions",
        *_answers(guesses, early, again, ties, finalists, compared, important),
    ]
    page = folder / "report.md"
    page.write_text("\n\n".join(parts).replace("\n\n- ", "\n- ") + "\n", encoding="utf-8")
    return page


def claims(
    trials: pd.DataFrame,
    guesses: Guesses | None,
    again: BestAgain | None,
    finalists: Finalists | None,
    compared: Compared | None,
    score: TestScore | None,
) -> list[str]:
    """Return what may be said of the choice, and what may not, a sentence each."""
    lowest = trials["val_loss"].min()
    said = [
        f"The search reported {lowest:.4f}. That is the lowest of {len(trials)} losses, so it is "
        "too low on average, and no claim."
    ]
    if finalists is not None:
        said.append(
            f"On draws that did not choose the finalists, the winner has {finalists.mean:.4f} "
            f"(standard error {finalists.error:.2g}), still a little too low, for they chose it. "
            "Draws differ in how hard they are, so do not compare this with the line above."
        )
    if compared is None:
        said.append("Whether the search beats a guess was not asked.")
    else:
        found = {
            "ours": "The search's winner is better than the best guess",
            "theirs": "The search's winner is worse than the best guess: take the guess",
            "unclear": "The search's winner is not told apart from the best guess: take the guess",
        }
        mean, low, high = compared.difference
        said.append(
            f"{found[compared.verdict]}, judged fresh on {len(compared.table)} draws: "
            f"{mean:+.4f} ({low:+.4f} to {high:+.4f})."
        )
    if again is not None and again.verdict != "yes":
        said.append("The ten best are not clearly told apart, so others may be as good.")
    if score is None:
        said.append("The sealed rows were not opened.")
    else:
        said.append(f"On the sealed rows: {score}.")
    if score is not None and score.n_looks > 1:
        said.append(
            f"The sealed rows have scored {score.n_looks} models, so the score is part of a choice."
        )
    if guesses is not None and guesses.seed_sd > 0:
        said.append(f"Differences near {guesses.seed_sd:.2g} are what another seed makes.")
    return said


def _spent(problem: Problem, trials: pd.DataFrame) -> pd.DataFrame:
    charged = np.sum(trials["charged_epochs"].to_numpy())
    seconds = np.nansum(trials["runtime_s"].to_numpy(dtype=float))
    rows = [
        ("trials", len(trials)),
        ("of them failed", np.sum(trials["status"].to_numpy() == "failed")),
        ("epochs", charged),
        ("in full trainings", round(float(charged) / problem.n_epochs, 1)),
        ("seconds of the search's trainings", round(float(seconds), 1)),
        ("trainings in the folder, with those of the questions", problem.n_kept()),
        ("trial chosen by the search", incumbent(trials)),
        ("its configuration", config_of(trials, incumbent(trials))),
    ]
    if "ended" in trials.attrs:
        rows.append(("the search ended by", trials.attrs["ended"]))
    return pd.DataFrame(rows, columns=["what", "how much"])


def _answers(guesses, early, again, ties, finalists, compared, important) -> list[str]:
    asked = {
        "What is a guess worth?": guesses,
        "Is early order late order?": early,
        "Do the best keep their order?": again,
        "Who is tied with the winner?": ties,
        "Who wins among the finalists?": finalists,
        "Is it better than the guess, fresh?": compared
        and compared.in_words("the winner", "the guess"),
        "Which hyperparameters mattered?": important,
    }
    return [
        f"**{question}** " + ("Not asked." if found is None else _said(str(found)))
        for question, found in asked.items()
    ]


def _said(text: str) -> str:
    """Return a text whose further lines, if it has some, are a block of their own."""
    first, _, rest = text.partition("\n")
    return f"{first[0].upper()}{first[1:]}." + (f"\n\n```\n{rest}\n```" if rest else "")


def _markdown(table: pd.DataFrame) -> str:
    def text(value) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    rows = [list(table.columns), ["---"] * table.shape[1]]
    rows += [[text(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)

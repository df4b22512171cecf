"""The best checkpoint of a folder, by the scores in the files' names."""

from __future__ import annotations

import math

from descent_solutions import hyperparameter_search as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written


def best_checkpoint_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for count in (6, 9):
        scores = rng.uniform(10.5, 80, count)
        # As text, 9.5 comes after 87; the best one stands neither first nor last by name, and
        # the per cents before the point don't tell it from others.
        best = rng.uniform(81.5, 81.95) + rng.integers(0, 8)
        scores[:5] = rng.uniform(1, 8), 9.5, best, math.floor(best) + 0.2, math.floor(best) + 0.1
        scores[-1] = 9.25
        epochs = rng.integers(4, 20, count)
        epochs[2:4] = 3, 25
        files = {
            f"trial{i:03d}-epoch{epoch:03d}-val{score:.2f}.npz": "checkpoint"
            for i, (epoch, score) in enumerate(zip(epochs, scores, strict=True))
        }
        files |= {
            "trial002-epoch031-val99.00.npz.tmp": "half written",
            "trial004-epoch002-valnan.npz": "diverged",
            "notes-val99.50.txt": "somebody's notes",
            "README": "about this folder",
        }
        names = rng.permutation(list(files)).tolist()
        about = f"{count} checkpoints among other files"
        cases.append({"about": about, "files": {n: files[n] for n in names}, "empty": False})
    return cases + [
        {"about": about, "files": dict.fromkeys(names.split(), "a file"), "empty": empty}
        for about, empty, names in _FOLDERS
    ]


_FOLDERS = (
    (
        "names that are nearly those of checkpoints",
        False,
        """
        trial000-epoch001-valnan.npz trial12-epoch7-val9.75.npz trial3-epoch10-val88.4.npz
        trial004-epoch011-val88.25.npz trial5-epoch1-val88.1.npz trial9-epoch99-valnan.npz
        old-trial1-epoch2-val99.10.npz trial5-epoch2-val99_20.npz trial6-epoch2-val99.npz
        trial7-val99.30.npz trial8-epoch1-val99.40-npz trial8-epoch1-val99.45.npz.tmp
        """,
    ),
    (
        "a folder of other files, without a checkpoint",
        True,
        "README trial1-epoch1-val50.00.npz.tmp",
    ),
    (
        "one score that is nan, and no other checkpoint",
        True,
        "trial001-epoch001-valnan.npz",
    ),
)

BEST_CHECKPOINT = Entry(
    "best_checkpoint",
    reference.best_checkpoint,
    best_checkpoint_cases,
    mistakes=written(
        r"""
        by-text: float(match[1])  →  match[1]
            It looks as if the scores are compared as text.
            Try: As text, "9.50" comes after "87.25": turn them into numbers.
        by-name: key=scores.__getitem__  →  key=lambda path: path.name
            It looks as if the last name wins. Try: Compare the scores in the names.
        by-epoch: key=scores.__getitem__
                →  key=lambda path: int(re.search(r"epoch(\d+)", path.name)[1])
            It looks as if the latest epoch wins.
            Try: More epochs aren't better: compare the validation scores.
        lowest: return max  →  return min
            It looks as if the lowest score wins. Try: The score is an accuracy: the highest wins.
        nan-wins: (\d+\.\d+)  →  (\d+\.\d+|nan)
            match[1]  →  match[1].replace("nan", "inf")
            It looks as if a NaN score wins.
            Try: A run that diverged is never the best: leave NaN out.
        nan-by-order: (\d+\.\d+)  →  (\d+\.\d+|nan)
            Path(folder).iterdir()  →  sorted(Path(folder).iterdir())
            It looks as if a score that is NaN wins where it comes first.
            Try: No comparison with NaN is true, so max keeps it: such a file is no checkpoint.
        nan-kept: (\d+\.\d+)  →  (\d+\.\d+|nan)
            match[1]  →  match[1].replace("nan", "-inf")
            It looks as if a file with the score nan counts as a checkpoint.
            Try: Where there is no other, raise FileNotFoundError.
        nothing-raised: raise FileNotFoundError(f"There is no checkpoint in {folder}.")
                →  return None
            It looks as if nothing is raised where there is no checkpoint.
            Try: Raise FileNotFoundError: the caller can't use None.
        other-error: raise FileNotFoundError  →  raise ValueError
            It looks as if a ValueError is raised where there is no checkpoint, as max does.
            Try: Ask first whether there is any, and raise FileNotFoundError.
        half-written: \.npz  →  \.npz.*
            It looks as if a file that is still being written is taken.
            Try: A name that ends in .tmp isn't a checkpoint yet.
        any-file: r"trial\d+-epoch\d+-val(\d+\.\d+)\.npz"  →  r".*-val(.+)\.(npz|txt)"
            float(match[1])  →  np.nan_to_num(float(match[1]), nan=-np.inf)
            It looks as if any file with a score in its name counts.
            Try: Only names like trial007-epoch003-val87.25.npz are checkpoints.
        any-beginning: r"trial  →  r".*trial
            It looks as if something may stand before the word trial.
            Try: re.search looks anywhere in the name: re.fullmatch wants the whole of it.
        score-only: trial\d+-epoch\d+-val  →  .*val
            It looks as if only the score in the name is looked at.
            Try: Ask for trial and epoch with their digits as well.
        points-unescaped: \.\d+)\.npz  →  .\d+).npz
            It looks as if a point in the pattern stands for any character.
            Try: Write `\.` for a point.
        whole-numbers: (\d+\.\d+)  →  ([\d\.]+)
            It looks as if a score without a decimal point counts.
            Try: A score is digits, a point, digits.
        fixed-digits: trial\d+-epoch\d+-val(\d+\.\d+)  →  trial\d{3}-epoch\d{3}-val(\d{2}\.\d{2})
            It looks as if the numbers must have just as many digits as in the example.
            Try: Digits, however many: `\d+`.
        cut-to-whole: key=scores.__getitem__  →  key=lambda path: (int(scores[path]), path)
            It looks as if the scores are cut to whole numbers.
            Try: 88.4 is more than 88.25: use float.
        crashes-on-junk: if match  →  if True
            match[1]  →  match.group(1)
            It looks as if other files in the folder stop the function.
            Try: A shared folder holds all sorts of things: skip what isn't a checkpoint.
        bare-name: scores.__getitem__)  →  scores.__getitem__).name
            It looks as if the name comes back without its folder.
            Try: Return the path: the caller may stand elsewhere.
        score-returned: return max(scores, key=scores.__getitem__)
                →  return float(scores[max(scores, key=scores.__getitem__)])
            It looks as if the score comes back. Try: Return the path of the checkpoint.
        """
    ),
)

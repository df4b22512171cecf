"""What chooses a model, and what reports on it: three sets, and folds of one."""

from __future__ import annotations

from descent_solutions import hyperparameter_search as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- a model -------------------------------------------------------------------------------------


def choose_model_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    keys = ("train", "validation", "test")
    for count in (6, 8):
        scores = [{key: float(rng.uniform(0.3, 0.7)) for key in keys} for _ in range(count)]
        order = rng.permutation(count).tolist()
        for key, i in zip(keys, order, strict=False):
            scores[i][key] = float(rng.uniform(0.86, 0.95))
        scores[order[1]]["train"] = float(rng.uniform(0.6, 0.7))
        # Two scores together prefer another one, whichever they are: each pair a model of its own.
        scores[order[3]] = {"train": 0.4, "validation": 0.845, "test": 0.845}
        scores[order[4]] = {"train": 0.845, "validation": 0.845, "test": 0.4}
        scores[order[5]]["validation"] = 0.2
        cases.append({"about": f"{count} models", "scores": scores})
    equals = (-0.1, -0.5, -0.45), (-0.6, -0.5, -0.2), (-0.7, -0.5, -0.3)
    by = float(rng.uniform(0.5, 1.5))
    losses = [
        dict(zip(keys, (by * v for v in three), strict=True))
        for three in ((-0.9, -0.7, -0.8), *equals)
    ]
    cases.append({"about": "scores below 0, three models equally good", "scores": losses})
    return cases


CHOOSE_MODEL = Entry(
    "choose_model",
    reference.choose_model,
    choose_model_cases,
    mistakes=written(
        """
        by-test: ["validation"]  →  ["test"]
            It looks as if the test score chooses.
            Try: Then nothing is left that has not been used for choosing: choose on validation.
        by-train: ["validation"]  →  ["train"]
            It looks as if the training score chooses.
            Try: It rewards memorising: choose on validation.
        by-mean: ["validation"]  →  ["validation"] + scores[i]["test"]
            It looks as if validation and test choose together.
            Try: The test set must have no say in the choice.
        by-train-too: ["validation"]  →  ["validation"] + scores[i]["train"]
            It looks as if training and validation choose together.
            Try: The training score rewards memorising: choose on validation alone.
        by-gap: ["validation"]  →  ["validation"] - scores[i]["train"]
            It looks as if the smallest gap between training and validation chooses.
            Try: A model that has learnt nothing has none: choose on validation.
        last-of-equals: range(len(scores))  →  reversed(range(len(scores)))
            It looks as if the last of several equally good models is taken.
            Try: Take the first: >, not >=.
        ties-by-test: scores[i]["validation"]  →  (scores[i]["validation"], scores[i]["test"])
            It looks as if the test score decides between equally good models.
            Try: Take the first: the test set must have no say in the choice.
        starts-at-zero: scores[i]["validation"]  →  max(0, scores[i]["validation"])
            It looks as if a score has to be above 0 to win.
            Try: Scores may be below 0: start from the first model's, or from minus infinity.
        worst: lambda i:  →  lambda i: -
            It looks as if the lowest validation score is taken. Try: Scores are maximised.
        validation-reported: ["test"]  →  ["validation"]
            It looks as if the validation score is reported.
            Try: It was maximised, so it flatters: report the chosen model's test score.
        best-test-reported: scores[best]["test"]  →  max(one["test"] for one in scores)
            It looks as if the best test score of all is reported.
            Try: Report the test score of the model that was chosen.
        mean-reported: scores[best]["test"]
                →  (scores[best]["test"] + scores[best]["validation"]) / 2
            It looks as if the mean of validation and test is reported.
            Try: Report the test score alone.
        lower-reported: scores[best]["test"]
                →  min(scores[best]["test"], scores[best]["validation"])
            It looks as if the lower of validation and test is reported.
            Try: Report the test score alone, also where it is the higher one.
        """
    ),
)

# ---- folds ---------------------------------------------------------------------------------------


def k_folds_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"{n} examples in {k} folds",
            "num_examples": n,
            "num_folds": k,
            "seed": int(rng.integers(2**31)),
        }
        for n, k in ((23, 5), (20, 4), (31, 3))
    ]


K_FOLDS = Entry(
    "k_folds",
    reference.k_folds,
    k_folds_cases,
    mistakes=written(
        """
        overlap: if j != i  →
            It looks as if the training indices hold the validation examples too.
            Try: Leave the fold out of its training set: that is the whole idea.
        not-shuffled: rng.permutation  →  np.arange
            It looks as if the examples aren't shuffled.
            Try: Data often come sorted by class: permute first.
        shuffled-within: rng.permutation  →  np.arange
            return  →  folds = [rng.permutation(fold) for fold in folds]⏎return
            It looks as if each fold holds the same examples each time, in another order.
            Try: Permute all the indices first, then cut.
        rest-dropped: folds = np.array_split  →  size = num_examples // num_folds⏎folds = np.split
            , num_folds)  →  , range(size, num_examples + 1, size))
            fold in enumerate(folds)  →  fold in enumerate(folds[:num_folds])
            It looks as if examples are left out when the folds don't divide evenly.
            Try: np.array_split makes some folds one larger.
        rest-in-last: folds = np.array_split  →  size = num_examples // num_folds⏎folds = np.split
            , num_folds)  →  , np.arange(1, num_folds) * size)
            It looks as if the last fold takes all that is left over.
            Try: Sizes may differ by one only: np.array_split does that.
        drawn-anew: return
                →  folds = [rng.permutation(num_examples)[: len(fold)] for fold in folds]⏎return
            np.concatenate([f for j, f in enumerate(folds) if j != i])
                →  np.setdiff1d(range(num_examples), fold)
            It looks as if each fold is drawn by itself.
            Try: Permute once and cut: every example is validated exactly once.
        rest-resampled: (np.concatenate(  →  (rng.choice(np.concatenate(
            != i])  →  != i]), num_examples - len(fold))
            It looks as if training indices are drawn, so that some come twice.
            Try: All the others train, each once.
        one-based: rng.permutation(num_examples)  →  rng.permutation(num_examples) + 1
            It looks as if the indices start at 1. Try: They are 0 … num_examples − 1.
        masks: np.concatenate([f for j, f in enumerate(folds) if j != i]), fold
                →  ~np.isin(range(num_examples), fold), np.isin(range(num_examples), fold)
            It looks as if masks come back, not indices.
            Try: np.flatnonzero turns a mask into indices.
        swapped: (np.concatenate  →  (fold, np.concatenate
            , fold)  →  )
            It looks as if training and validation have changed places.
            Try: Return (training, validation) for each fold.
        one-fold: fold in enumerate(folds)  →  fold in enumerate(folds[:1])
            It looks as if one fold comes back. Try: Return `num_folds` pairs.
        own-generator: folds = np  →  rng = np.random.default_rng(0)⏎folds = np
            It looks as if a generator of your own is used.
            Try: Permute with the `rng` that is handed in.
        """
    ),
)

"""A power law that falls to an offset: y = c + a x^-b, of one cost, as MACs (Hestness et al. 2017)."""

from __future__ import annotations

from scaling.law import LAWS, Law, Term

LAWS.register("power")(Law("power", ("cost",), (Term("a", 0, "b"), Term("c"))))

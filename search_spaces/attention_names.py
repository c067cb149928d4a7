"""The names of the channel attentions. No torch here: spaces make knobs of them."""

ATTENTION_NAMES = ("none", "se", "ese", "eca", "ela")

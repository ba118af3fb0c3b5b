"""The actions of the language, one module each; `ACTIONS` is the only list of them."""

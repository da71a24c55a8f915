"""The embedded terminal of mtquant under the official module's name.

`mtquant terminal path` prints the folder for PYTHONPATH. MTQUANT_AT, MTQUANT_FACTOR, MTQUANT_DIR,
MTQUANT_CONFIG and MTQUANT_FAULTS say what the options of `mtquant terminal run` say.
"""

from mtquant.app.face import open_face, options_from

_OURS = {"__name__", "__doc__", "__package__", "__loader__", "__spec__"}
globals().update(
    {name: value for name, value in vars(open_face(options_from())).items() if name not in _OURS}
)
del open_face, options_from

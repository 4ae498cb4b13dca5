"""Which of the published models is served."""

from bundle import store
from bundle.errors import BundleError
from serve import model
from serve.errors import StartError
from serve.settings import Settings


def open_model(settings: Settings) -> model.Model:
    """Load the newest version of the model that the settings name, or of the only one.

    Raises:
        StartError: there is no such model, or it can't be trusted.

    """
    try:
        name = _choose(settings)
        newest = store.versions(settings.models, name)[-1]
        return model.load(store.read(settings.models, name, newest), settings.ort_threads)
    except BundleError as error:
        raise StartError(str(error)) from None


def _choose(settings: Settings) -> str:
    names = store.models(settings.models)
    if not names:
        raise StartError(f"{settings.models}: no model here; `python -m export` publishes one")
    if settings.name is None and len(names) > 1:
        raise StartError(f"{settings.models}: choose with --name one of {', '.join(names)}")
    name = settings.name or names[0]
    if name not in names:
        raise StartError(f"{settings.models}: no model {name!r}; there is {', '.join(names)}")
    return name

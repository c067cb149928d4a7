"""MLflow: one run a study, where ``MLFLOW_TRACKING_URI`` says, or in ``mlruns``."""

from __future__ import annotations

from experiments.callback import CALLBACKS, RUN, Callback, Finished, Run
from search_spaces.errors import missing_extra


@CALLBACKS.register("mlflow")
def mlflow(run: Run) -> Callback:
    """Return a logger into a run that is named after the study."""
    try:
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError:
        raise missing_extra("mlflow", "mlflow") from None
    client = MlflowClient()
    experiment = client.get_experiment_by_name("nas")
    number = experiment.experiment_id if experiment else client.create_experiment("nas")
    run_id = client.create_run(number, run_name=run.name).info.run_id
    client.log_dict(run_id, dict(run.settings), "settings.json")

    def log(finished: Finished) -> None:
        if finished.kind == RUN:
            client.set_terminated(run_id)
            return
        for name, value in finished.scalars().items():
            # MLflow takes no @ in a name.
            client.log_metric(run_id, name.replace("@", "/").replace(":", "_"), value, step=finished.step)

    return log

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import experiments
from experiments.comparison.settings import read_compare_config
from experiments.config import StudyConfig, make_config, parse_override, read_config
from experiments.job import make_job, read_job
from search_spaces.errors import UsageError

CONFIGS = Path(experiments.__file__).parent / "configs"


def message(tmp_path: Path, content: str, *overrides: str) -> str:
    """Return the one line with which a configuration is refused."""
    path = tmp_path / "study.toml"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_config(path, overrides)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def refused(tmp_path: Path, table: str) -> str:
    return message(tmp_path, f'name = "a"\n{table}')


class TestRead:
    @pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
    def test_every_configuration_that_ships(self, path, monkeypatch) -> None:
        if path.stem.startswith("compare_"):
            monkeypatch.chdir(CONFIGS.parent.parent)  # A learned rule is a file, named from there.
            found = read_compare_config(path)
            assert type(found).model_validate(found.model_dump(mode="json")) == found
        else:
            found = read_job(path)
            assert make_job(found.model_dump(mode="json"), "stored") == found

    def test_defaults(self, tmp_path) -> None:
        (tmp_path / "a.toml").write_text('name = "a"')
        found = read_config(tmp_path / "a.toml")
        assert found == StudyConfig(name="a")
        assert [each.name for each in found.objectives] == ["accuracy", "latency_ms@cpu:fp32:b64"]

    def test_objectives_follow_the_targets(self) -> None:
        found = make_config({"name": "a", "latency": {"targets": ["h100:bf16", "orin"]}}, "x")
        assert [each.name for each in found.objectives] == ["accuracy", "latency_ms@h100:bf16", "latency_ms@orin"]

    def test_it_is_frozen(self) -> None:
        with pytest.raises(Exception, match="frozen"):
            StudyConfig(name="a").seed = 3

    def test_a_file_that_is_not_there(self, tmp_path) -> None:
        with pytest.raises(
            UsageError, match=r"can't read the configuration .*none\.toml: No such file.*: give the path"
        ):
            read_config(tmp_path / "none.toml")

    @pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b'name = "a"\nname = "b"'])
    def test_a_file_that_is_not_toml(self, tmp_path, content) -> None:
        (tmp_path / "a.toml").write_bytes(content)
        with pytest.raises(UsageError, match="is not TOML"):
            read_config(tmp_path / "a.toml")

    def test_no_heavy_package_is_loaded(self) -> None:
        heavy = "torch", "sklearn", "pymoo", "moocore", "sqlalchemy", "plotly"
        code = (
            "import sys; from pathlib import Path; from experiments.config import read_config\n"
            f"read_config(Path(sys.argv[1])); print([name for name in {heavy} if name in sys.modules])"
        )
        command = [sys.executable, "-c", code, str(CONFIGS / "digits.toml")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


class TestUnknownKeys:
    @pytest.mark.parametrize(
        ("table", "path", "close"),
        [
            ("sed = 3", "sed", "seed"),
            ("[training]\nepoch = 3", "training.epoch", "epochs"),
            ("[data]\nsorce = 'digits'", "data.sorce", "source"),
            ("[training.pruning]\nwindows = 0.5", "training.pruning.windows", "window"),
            ("[finetuning]\nema_decay = 0.9", "finetuning.ema_decay", "weight_decay"),
            ("[[search.objectives]]\nname = 'accuracy'\nlowr = 3", "search.objectives[0].lowr", "lower"),
            ("[search.settings]\nnum_offsprings = 3", "search.settings.num_offsprings", "num_offspring"),
            ("[space]\nname = 'autoformer'\nfrom = 'tiny'", "space.from", "form"),
            ("[space]\nname = 'ofa_mobilenet'\nresolution = 16", "space.resolution", "resolutions"),
        ],
    )
    def test_the_path_and_close_names_are_shown(self, tmp_path, table, path, close) -> None:
        text = refused(tmp_path, table)
        assert text.startswith(f"{path}: unknown key {path.rpartition('.')[2]!r}: did you mean '{close}'")
        assert "allowed: " in text

    def test_nothing_is_close(self, tmp_path) -> None:
        text = refused(tmp_path, "[scaling]\nqqq = 1")
        assert text == "scaling.qqq: unknown key 'qqq': allowed: factors, rules"


class TestUnknownNames:
    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            ("[data]\nsource = 'digit'", "data.source: unknown data source 'digit': did you mean 'digits'"),
            ("[space]\nname = 'autoformr'", "space.name: unknown space 'autoformr': did you mean 'autoformer'"),
            ("[training]\nsampler = 'sortd'", "training.sampler: unknown sampler 'sortd': did you mean 'sorted'"),
            (
                "[training]\nsampler_settings = { k = 1 }",
                "training.sampler_settings: unknown setting of sampler 'sorted' 'k'",
            ),
            ("[task]\nname = 'countin'", "task: unknown task 'countin': did you mean 'counting'"),
            ("[task]\nname = 'counting'\nsettings = { sigm = 1 }", "task: unknown setting of task 'counting' 'sigm'"),
            ("[training]\nloss = 'bia'", "training.loss: unknown loss 'bia': did you mean 'bias'"),
            ("[training]\ndistillation = 'k'", "training.distillation: unknown distillation 'k': did you mean 'kl'"),
            ("[latency]\ntargets = ['cpu', 'h10']", "latency.targets[1]: unknown target 'h10': did you mean 'h100'"),
            ("[search]\nalgorithm = 'nsg2'", "search.algorithm: unknown search algorithm 'nsg2': did you mean 'nsga2'"),
            (
                "[search]\ncompare = ['randm']",
                "search.compare[0]: unknown search algorithm 'randm': did you mean 'random'",
            ),
            ("[scaling]\nrules = ['fats']", "scaling.rules[0]: unknown scaling rule 'fats': did you mean 'fast'"),
            (
                "[search]\nobjectives = ['acuracy']",
                "search.objectives[0].name got 'acuracy': unknown objective 'acuracy': did you mean 'accuracy'",
            ),
        ],
    )
    def test_they_are_refused_at_reading_with_close_names_and_the_path(self, tmp_path, table, expected) -> None:
        text = refused(tmp_path, table)
        assert text.startswith(expected)
        assert "allowed: " in text


class TestValues:
    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            ("seed = -1", "seed got -1: Input should be greater than or equal to 0"),
            ("device = 'gpu'", "device got 'gpu': Input should be 'auto', 'cpu' or 'cuda'"),
            ("networks = 0", "networks got 0: "),
            ("data = 5", "data got 5: "),
            ("space = 'autoformer'", "space got 'autoformer': "),
            ("[space]\nform = 'tiny'", "space.name got None: give one of alphanet, autoformer, "),
            ("[space]\nname = 3", "space.name got 3: give one of alphanet, autoformer, "),
            ("[training]\nepochs = 'many'", "training.epochs got 'many': Input should be a valid integer"),
            ("[training]\noptimiser = 'adam'", "training.optimiser got 'adam': Input should be 'adamw' or 'sgd'"),
            ("[training]\nlearning_rate = inf", "training.learning_rate got inf: Input should be a finite number"),
            ("[training]\nlearning_rate = nan", "training.learning_rate got nan: Input should be "),
            ("[training]\nteacher = 'model'", "training.teacher got 'model' without training.distillation: set "),
            ("[training]\ngradient_shards = 64", "training.batch_size got 64: 64 gradient_shards cut it in 64 equal "),
            (
                "[training]\ndistillation = 'kl'\nnetworks_per_step = 1",
                "training.networks_per_step got 1: with teacher",
            ),
            ("[latency]\ntargets = []", "latency.targets got []: "),
            ("[latency]\nbudget_s = 0", "latency.budget_s got 0: Input should be greater than 0"),
            ("[latency]\ntargets = ['h100:fp8']", "latency.targets[0]: target 'h100:fp8' has the part 'fp8'"),
            ("[scaling]\nfactors = [2, 'x']", "scaling.factors[1] got 'x': Input should be a valid number"),
            ("[scaling]\nfactors = [2, 0]", "scaling.factors[1]: a scaling factor of 0 is not possible"),
            ("[space]\nname = 'autoformer'\nform = 'huge'", "space.form got 'huge': Input should be 'tiny', "),
            ("[space]\nname = 'autoformer'\nresolution = 30", "space: patch 16 does not divide the resolution 30"),
            ("[search.settings]\npopulation_size = 1", "search.settings.population_size got 1: "),
            ("[search.settings]\npopulation_size = 50", "search.settings: max_population_size 40 is below "),
            ("[data]\nvalidation_fraction = 0.5\ntest_fraction = 0.5", "data: validation_fraction 0.5 + test_fraction"),
        ],
    )
    def test_a_value_that_is_not_allowed(self, tmp_path, table, expected) -> None:
        assert refused(tmp_path, table).startswith(expected)

    def test_further_problems_are_counted(self, tmp_path) -> None:
        text = refused(tmp_path, "[training]\nepochs = 0\nbatch_size = 0\nema_decay = 2")
        assert text.startswith("training.epochs got 0: ")
        assert text.endswith("(and 2 more)")

    @pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "a\\b", ".hidden", "-x", "a\nb", "x" * 101, "a "])
    def test_a_name_that_is_no_folder(self, tmp_path, name) -> None:
        with pytest.raises(UsageError, match="name"):
            make_config({"name": name}, "x")

    def test_no_name(self, tmp_path) -> None:
        assert message(tmp_path, "seed = 3") == "name is missing: give it a value"


class TestWhatFitsTogether:
    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            (
                "[latency]\nmeasure = false\n[search]\nobjectives = ['accuracy', 'latency_p95_ms@cpu:fp32:b64']",
                "search.objectives[1]: 'latency_p95_ms@cpu:fp32:b64' is known by measuring alone, and latency.measure",
            ),
            (
                "[search]\nobjectives = ['accuracy', 'latency_ms@h100']",
                "search.objectives[1]: 'latency_ms@h100': its target is not in latency.targets: cpu:fp32:b64",
            ),
            ("[search]\nobjectives = ['macs', 'params']", "search.objectives got macs, params: accuracy is missing"),
            (
                "[search]\nobjectives = ['accuracy', 'macs', {name = 'macs', upper = 3}]",
                "search.objectives[2]: objective 'macs' is given twice",
            ),
            (
                "latency.targets = ['h100']\n[search]\n"
                "objectives = ['accuracy', 'latency_ms@h100', 'latency_ms@h100:fp32:b1']",
                "search.objectives[2]: objective 'latency_ms@h100:fp32:b1' is given twice",
            ),
            (
                "[search]\nobjectives = [{name = 'accuracy', lower = 9, upper = 3}]",
                "search.objectives[0]: objective 'accuracy' got lower 9 above upper 3",
            ),
            (
                "[latency]\ntargets = ['h100', 'h100:fp32:b1']",
                "latency.targets[1]: target 'h100:fp32:b1' is given twice",
            ),
            (
                "[training]\nsampler = 'sandwich'\nnetworks_per_step = 1",
                "training: networks_per_step got 1: the sandwich sampler takes 2 or more",
            ),
        ],
    )
    def test_contradictions(self, tmp_path, table, expected) -> None:
        assert refused(tmp_path, table).startswith(expected)

    def test_targets_and_objectives_may_be_written_in_several_ways(self) -> None:
        given = {"latency": {"targets": ["h100"]}, "search": {"objectives": ["accuracy", "latency_ms@h100:fp32:b1"]}}
        assert make_config({"name": "a", **given}, "x").objectives[1].name == "latency_ms@h100:fp32:b1"


class TestSet:
    def read(self, tmp_path, *overrides) -> StudyConfig:
        (tmp_path / "a.toml").write_text('name = "a"\n[training]\nepochs = 7\n')
        return read_config(tmp_path / "a.toml", overrides)

    def test_values_are_toml_or_else_text(self, tmp_path) -> None:
        found = self.read(
            tmp_path,
            "training.epochs=9",
            "training.learning_rate=1e-4",
            "training.sampler=uniform",
            'name="b c"',
            "data.skip_undecodable=true",
            "scaling.factors=[0.5, 8]",
            "search.objectives=['accuracy', {name = 'macs', upper = 3e6}]",
            " seed =4",
        )
        assert (found.training.epochs, found.training.learning_rate, found.training.sampler) == (9, 1e-4, "uniform")
        assert (found.name, found.seed, found.data.skip_undecodable) == ("b c", 4, True)
        assert found.scaling.factors == (0.5, 8.0)
        assert found.search.objectives[1].upper == 3e6

    def test_a_table_that_the_file_lacks_is_made(self, tmp_path) -> None:
        assert self.read(tmp_path, "search.settings.num_initial=5").search.settings == {"num_initial": 5}

    def test_the_last_of_one_key_counts(self, tmp_path) -> None:
        assert self.read(tmp_path, "seed=1", "seed=2").seed == 2

    def test_a_path_may_hold_an_equals_sign_in_its_value(self) -> None:
        assert parse_override("data.path=a=b") == (["data", "path"], "a=b")

    @pytest.mark.parametrize("text", ["training.epochs", "=3", ".epochs=3", "training..epochs=3", "training.=3", ""])
    def test_another_form_is_refused(self, tmp_path, text) -> None:
        with pytest.raises(UsageError, match=r"--set got .*: write it as key\.key=value, as training\.epochs=10"):
            self.read(tmp_path, text)

    def test_a_key_inside_a_value_is_refused(self, tmp_path) -> None:
        with pytest.raises(UsageError, match=r"--set got 'name\.x=3': 'name' holds a value, not a table"):
            self.read(tmp_path, "name.x=3")

    def test_an_unknown_key_shows_its_path(self, tmp_path) -> None:
        with pytest.raises(UsageError, match=r"training\.epohcs: unknown key 'epohcs': did you mean 'epochs'"):
            self.read(tmp_path, "training.epohcs=3")


def test_a_tabular_study_is_told_how_to_run(tmp_path: Path) -> None:
    said = message(tmp_path, "name = 'a'\n[table]\nsource = 'made'")
    assert "[table] looks its networks up and trains nothing: put it into the queue with nas study submit" in said


class TestTask:
    def test_its_loss_and_its_metric_are_the_defaults_and_stored(self) -> None:
        config = make_config({"name": "a", "task": {"name": "counting"}}, "x")
        assert config.training.loss == "density"
        assert config.objectives[0].name == "count_mae"
        assert config.model_dump(mode="json")["task"]["name"] == "counting"
        assert make_config(config.model_dump(mode="json"), "stored") == config

    def test_classification_is_stored_as_before_there_were_tasks(self) -> None:
        stored = StudyConfig(name="a").model_dump(mode="json")
        assert "task" not in stored
        assert stored["training"]["loss"] == "cross_entropy"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "[task]\nname = 'segmentation'\n[search]\nobjectives = ['accuracy', 'macs']",
                "search.objectives[0]: 'accuracy' is the metric of another task than 'segmentation': give 'miou'",
            ),
            (
                "[task]\nname = 'segmentation'\n[search]\nobjectives = ['macs']",
                "search.objectives got macs: miou is missing: add it",
            ),
            (
                "[task]\nname = 'segmentation'\n[training]\nloss = 'density'",
                "training.loss: 'density' is for task counting, the study's is 'segmentation': choose another",
            ),
            (
                "[task]\nname = 'counting'\n[training]\ndistillation = 'kl'",
                "training.distillation: 'kl' is for task classification, segmentation, the study's is 'counting'",
            ),
            ("[task]\nname = 'super_resolution'", "augmentation.max_rotation_degrees got 10: task 'super_resolution'"),
            (
                "[task]\nname = 'segmentation'\n[space]\nname = 'nasnet'\nform = 'small_image'",
                "task: space 'nasnet' has no pyramid, which head 'segmentation_head' reads",
            ),
            (
                "[task]\nname = 'segmentation'\nhead = { width = 3 }",
                "task: space 'ofa_mobilenet', setting 'head': segmentation_head can't take width",
            ),
            (
                "[task]\nhead = { decoder_width = 3 }",
                "space: task.head got {'decoder_width': 3}: task 'classification' has the",
            ),
        ],
    )
    def test_what_does_not_fit_is_named(self, tmp_path, text: str, expected: str) -> None:
        assert refused(tmp_path, text).startswith(expected)

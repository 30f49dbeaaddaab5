"""The files in deploy/: they can be read, belong together, and what they run is there."""

import copy
import os
import re
import subprocess
from glob import glob

import pytest
from test_documents import check_configuration

from lib.admin import Site
from lib.documents import read
from lib.kubernetes import SCHEMAS
from lib.needs import require_module
from lib.server import BINARY, SRCDIR
from lib.wait import DEADLINE, eventually

yaml = pytest.importorskip("yaml")

# So long are requests waited for where the configuration does not say otherwise.
GRACE_S = 8

DEPLOY = os.path.join(SRCDIR, "deploy")
KUBERNETES = ["api", "front"]
SWARM = ["api", "front"]


def configurations():
    return sorted(os.path.relpath(path, DEPLOY) for path in glob(f"{DEPLOY}/*/*.conf"))


def drain_delay_s(path):
    match = re.search(r"drain_delay_ms = (\d+)", read("deploy", path))
    return int(match[1]) / 1000 if match else 0


def documents(path):
    return list(yaml.safe_load_all(read("deploy", path)))


def of_kind(kind, name):
    (found,) = [d for d in documents(f"kubernetes/{name}.yaml") if d["kind"] == kind]
    return found


def pod(name):
    return of_kind("Deployment", name)["spec"]["template"]


def container(name):
    (only,) = pod(name)["spec"]["containers"]
    return only


def stack():
    (only,) = documents("swarm/stack.yaml")
    return only


def heredocs(path):
    """The files that templates of a job write, by their names."""
    text = read("deploy", path)
    found = re.findall(r'destination\s*= "[^"]*?([\w.-]+)"(?:(?!destination).)*?<<EOF\n(.*?)^EOF$',
                       text, re.M | re.S)  # fmt: skip
    return dict(found)


@pytest.mark.parametrize("path", configurations())
def test_configuration_is_valid(run, tmp_path, path):
    check_configuration(run, tmp_path, read("deploy", path))


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_service_leads_to_the_pods(name):
    service, deployment = of_kind("Service", name), of_kind("Deployment", name)
    labels = pod(name)["metadata"]["labels"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"] == labels
    (port,) = container(name)["ports"]
    assert port["name"] == service["spec"]["ports"][0]["targetPort"]
    assert f':{port["containerPort"]}" {{' in read(f"deploy/kubernetes/{name}.conf")


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_mounts_what_the_program_reads(name):
    (kustomization,) = documents("kubernetes/kustomization.yaml")
    maps = {entry["name"]: entry["files"] for entry in kustomization["configMapGenerator"]}
    key, _, path = maps[name][0].partition("=")
    assert path == f"{name}.conf"
    volumes = {volume["name"]: volume for volume in pod(name)["spec"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container(name)["volumeMounts"]}
    assert volumes["configuration"]["configMap"]["name"] == name
    assert f"{mounts['configuration']}/{key}" in container(name)["command"]
    (control,) = [v["value"] for v in container(name)["env"] if v["name"] == "ZOMBIE_CONTROL"]
    assert os.path.dirname(control) == mounts["run"]


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_waits_for_the_end(name):
    needs = drain_delay_s(f"kubernetes/{name}.conf") + GRACE_S
    assert pod(name)["spec"]["terminationGracePeriodSeconds"] > needs


def kubernetes_documents():
    paths = sorted(glob(f"{DEPLOY}/kubernetes/*.yaml"))
    return [document for path in paths for document in documents(os.path.relpath(path, DEPLOY))]


def faults(document):
    """Where it is not what Kubernetes takes."""
    jsonschema = require_module("jsonschema", "python3-jsonschema")
    validator = jsonschema.Draft7Validator(SCHEMAS[document["kind"]])
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(document)]


def test_kubernetes_documents_have_no_other_keys_than_there_are():
    for document in kubernetes_documents():
        assert not faults(document), document["kind"]


def objects_within(value):
    """All that have keys of the API: labels and the like are free."""
    if isinstance(value, dict):
        yield value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)) and key not in ("labels", "matchLabels"):
            yield from objects_within(inner)


def test_kubernetes_schema_finds_what_is_misspelt():
    """Each key of each document, in turn."""
    for original in kubernetes_documents():
        for number, found in enumerate(objects_within(original)):
            for key in found:
                if found is original.get("spec", {}).get("selector") and key == "app":
                    continue
                document = copy.deepcopy(original)
                place = list(objects_within(document))[number]
                place[f"{key}s"] = place.pop(key)
                if key == "kind" and place is document:
                    continue
                assert faults(document), f"{original['kind']}: {key}s"


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_scales_what_is_there(name):
    scaler, budget = (of_kind(kind, name)["spec"]
                      for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"))  # fmt: skip
    deployment = of_kind("Deployment", name)
    assert scaler["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"], "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }  # fmt: skip
    assert budget["selector"] == deployment["spec"]["selector"]
    assert budget["maxUnavailable"] < scaler["minReplicas"] < scaler["maxReplicas"]
    # A number here would be set anew by each `kubectl apply`.
    assert "replicas" not in deployment["spec"]
    # Utilization is of what is requested, and below what is allowed.
    resources = container(name)["resources"]
    wanted = scaler["metrics"][0]["resource"]["target"]["averageUtilization"] / 100
    assert wanted * int(resources["requests"]["cpu"][:-1]) < 1000 * int(resources["limits"]["cpu"])


def test_probes_of_kubernetes_are_answered(start, run):
    """Each probe as it stands there, but for the port."""
    _, port = Site(start("admin.listen=127.0.0.1:0")).address
    asked = set()
    for name in KUBERNETES:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            words = container(name)[probe]["exec"]["command"][1:]
            asked.add(words[-1])
            words[-1] = words[-1].replace(":9090", f":{port}")
            eventually(lambda words=words: run(*words).returncode == 0, f"{words} says yes")
    assert len(asked) == 3


@pytest.mark.parametrize("name", SWARM)
def test_swarm_mounts_what_the_program_reads(name):
    service = stack()["services"][name]
    (config,) = service["configs"]
    assert config["target"] in service["command"]
    assert config["target"] in service["healthcheck"]["test"]
    assert stack()["configs"][config["source"]]["file"] == f"{name}.conf"
    assert int(service["stop_grace_period"][:-1]) > drain_delay_s(f"swarm/{name}.conf") + GRACE_S


def test_swarm_finds_the_service():
    assert 'server "api:3000"' in read("deploy/swarm/front.conf")
    networks = [stack()["services"][name]["networks"] for name in SWARM]
    assert networks == [["inner"], ["inner"]]


@pytest.mark.parametrize("path", ["nomad/api.nomad.hcl", "nomad/front.nomad.hcl"])
def test_nomad_job_is_balanced(path):
    text = re.sub(r"<<EOF\n.*?^EOF$", '""', read("deploy", path), flags=re.M | re.S)
    text = re.sub(r'#.*|"[^"]*"', "", text)
    depth = 0
    for brace in re.findall(r"[{}\[\]]", text):
        depth += 1 if brace in "{[" else -1
        assert depth >= 0
    assert depth == 0


def test_nomad_configuration_of_the_service_is_valid(run, tmp_path):
    check_configuration(run, tmp_path, heredocs("nomad/api.nomad.hcl")["zombie-server.conf"])


@pytest.mark.parametrize("instances", [0, 1, 3])
def test_nomad_configuration_of_the_front_is_valid(run, tmp_path, instances):
    text = heredocs("nomad/front.nomad.hcl")["zombie-server.conf"]
    before, each, none, after = re.fullmatch(
        r"(.*?)\{\{- range nomadService \"api\" \}\}(.*?)\{\{- else \}\}(.*?)\{\{- end \}\}(.*)",
        text, re.S,
    ).groups()  # fmt: skip
    filled = "".join(
        each.replace("{{ .Address }}", f"10.0.0.{i + 1}").replace("{{ .Port }}", "3000")
        for i in range(instances)
    )
    check_configuration(run, tmp_path, before + (filled or none) + after)
    assert (filled or none).count("server ") == max(instances, 1)
    assert "{{" not in filled + none + after


def test_the_distributor_takes_its_configuration():
    program = os.path.join(os.path.dirname(BINARY), "distributor", "zombie-distributor")
    words = [program, "-c", os.path.join(DEPLOY, "distributor/hub.conf"), "-t"]
    result = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_star_speaks_of_one_distributor():
    address = '"10.0.0.2:9000"'
    assert f"listen = {address}" in read("deploy/distributor/hub.conf")
    for name in ("api", "front"):
        assert f"url = {{ {address} }}" in read(f"deploy/distributor/{name}.conf")
    assert 'app = "api"' in read("deploy/distributor/api.conf")


def test_all_folders_are_in_the_overviews():
    folders = {entry.name for entry in os.scandir(DEPLOY) if entry.is_dir()}
    assert folders == set(re.findall(r"^\| \[(\w+)\]\(\1/\)", read("deploy/README.md"), re.M))
    assert folders == set(re.findall(r"\]\(deploy/(\w+)/\)", read("README.md")))


def test_caches_are_in_one_folder():
    texts = [read("deploy", path) for path in configurations()]
    texts += [read("doc/discovery.md"), read("man/zombie-server.conf.5")]
    named = [path for text in texts for path in re.findall(r'cache_file = "(.*)"', text)]
    assert len(named) >= 7
    assert set(named) == {"/var/cache/zombie-server/registry.json"}

"""
What the documents of deploy/kubernetes may say: the part of the API that they use, so
that a key which is misspelt, or stands at the wrong place, is found without a cluster.
"""

_TEXT = {"type": "string", "minLength": 1}
_SWITCH = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_SECONDS = {"type": "integer", "minimum": 1}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_WORDS = {"type": "array", "items": _TEXT, "minItems": 1}
_LABELS = {"type": "object", "additionalProperties": _TEXT, "minProperties": 1}
_QUANTITY = {"type": "string", "pattern": r"^\d+(m|Ki|Mi|Gi)?$"}


def _one_of(*words):
    return {"enum": list(words)}


def _object(required, **optional):
    """An object of these keys alone."""
    return {"type": "object", "properties": {**required, **optional}, "required": list(required),
            "additionalProperties": False}  # fmt: skip


def _list(item):
    return {"type": "array", "items": item, "minItems": 1}


def _document(version, kind, spec):
    names = _object({"name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}}, labels=_LABELS)
    return _object({"apiVersion": _one_of(version), "kind": _one_of(kind), "metadata": names,
                    "spec": spec})  # fmt: skip


_PROBE = _object(
    {"exec": _object({"command": _WORDS})},
    periodSeconds=_SECONDS, timeoutSeconds=_SECONDS, failureThreshold=_SECONDS,
    initialDelaySeconds=_COUNT, successThreshold=_SECONDS,
)  # fmt: skip

_RESOURCES = _object({"cpu": _QUANTITY, "memory": _QUANTITY})

_CONTAINER = _object(
    {"name": _TEXT, "image": _TEXT, "command": _WORDS},
    env=_list(_object({"name": _TEXT, "value": _TEXT})),
    ports=_list(_object({"name": _TEXT, "containerPort": _PORT})),
    startupProbe=_PROBE, livenessProbe=_PROBE, readinessProbe=_PROBE,
    resources=_object({"limits": _RESOURCES, "requests": _RESOURCES}),
    securityContext=_object({
        "allowPrivilegeEscalation": _SWITCH, "readOnlyRootFilesystem": _SWITCH,
        "capabilities": _object({"drop": _WORDS}),
    }),
    volumeMounts=_list(_object({"name": _TEXT, "mountPath": _TEXT}, readOnly=_SWITCH)),
)  # fmt: skip

_VOLUME = {"oneOf": [
    _object({"name": _TEXT, "configMap": _object({"name": _TEXT})}),
    _object({"name": _TEXT, "emptyDir": _object({}, medium=_one_of("Memory"))}),
]}  # fmt: skip

_POD = _object(
    {"containers": _list(_CONTAINER)},
    terminationGracePeriodSeconds=_SECONDS,
    securityContext=_object({
        "runAsNonRoot": _SWITCH, "runAsUser": _SECONDS, "runAsGroup": _SECONDS,
        "seccompProfile": _object({"type": _one_of("RuntimeDefault")}),
    }),
    volumes=_list(_VOLUME),
)  # fmt: skip

_MATCH = _object({"matchLabels": _LABELS})

_DEPLOYMENT = _object(
    {"selector": _MATCH,
     "template": _object({"metadata": _object({"labels": _LABELS}), "spec": _POD})},
    replicas=_COUNT,
    strategy=_object({"rollingUpdate": _object({"maxUnavailable": _COUNT, "maxSurge": _COUNT})}),
)  # fmt: skip

_SERVICE = _object(
    {"selector": _LABELS,
     "ports": _list(_object({"name": _TEXT, "port": _PORT, "targetPort": _TEXT}))},
    clusterIP=_one_of("None"),
)  # fmt: skip

_POLICY = _object({"type": _one_of("Pods", "Percent"), "value": _SECONDS,
                   "periodSeconds": {"type": "integer", "minimum": 1, "maximum": 1800}})  # fmt: skip

_PACE = _object({}, stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
                policies=_list(_POLICY))  # fmt: skip

_AUTOSCALER = _object({
    "scaleTargetRef": _object({"apiVersion": _one_of("apps/v1"), "kind": _one_of("Deployment"),
                               "name": _TEXT}),
    "minReplicas": _SECONDS, "maxReplicas": _SECONDS,
    "metrics": _list(_object({"type": _one_of("Resource"), "resource": _object({
        "name": _one_of("cpu", "memory"),
        "target": _object({"type": _one_of("Utilization"), "averageUtilization": _SECONDS}),
    })})),
}, behavior=_object({}, scaleUp=_PACE, scaleDown=_PACE))  # fmt: skip

_BUDGET = _object({"maxUnavailable": _SECONDS, "selector": _MATCH})

SCHEMAS = {
    "Deployment": _document("apps/v1", "Deployment", _DEPLOYMENT),
    "HorizontalPodAutoscaler": _document("autoscaling/v2", "HorizontalPodAutoscaler", _AUTOSCALER),
    "PodDisruptionBudget": _document("policy/v1", "PodDisruptionBudget", _BUDGET),
    "Service": _document("v1", "Service", _SERVICE),
    "Kustomization": _object({
        "apiVersion": _one_of("kustomize.config.k8s.io/v1beta1"), "kind": _one_of("Kustomization"),
        "resources": _WORDS,
        "configMapGenerator": _list(_object({"name": _TEXT, "files": _WORDS})),
    }),
}  # fmt: skip

#!/usr/bin/env bash
# openapi-python-client 0.29.1 (PyPI) makes a model whose own types do not hold when a schema has a property of its own name in
# snake case. `Error` with a property `error` is the usual shape of an API's refusals: in `from_dict` the local variable `error`
# first holds the property's value, then the finished model, so mypy finds two errors in generated code. The client runs.
# Consequence here: none for whoever does not type-check the generated package; who does excludes models/error.py.
# Needs python3 and PyPI. Exits non-zero when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv v
v/bin/pip -q install "openapi-python-client==0.29.1" "mypy==2.4.1" ruff
cat > api.json <<'JSON'
{"openapi": "3.1.0", "info": {"title": "shop", "version": "1"},
 "paths": {"/a": {"get": {"operationId": "getA", "responses": {"400": {"description": "no", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}}}}},
 "components": {"schemas": {"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}}}}}}
JSON
PATH="$folder/v/bin:$PATH" v/bin/openapi-python-client generate --path api.json --output-path client --overwrite
v/bin/python -c "
import sys; sys.path.insert(0, 'client')
from shop_client.models import Error
print('runs:', Error.from_dict({'error': {'code': 'not_found'}}).to_dict())"
said=$(cd client && ../v/bin/mypy . 2>&1 || true)
echo "$said" | tail -4
grep -q 'models/error.py.*Incompatible return value type (got "ErrorError", expected' <<<"$said"

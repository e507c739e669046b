#!/bin/bash
# The production pair on loopback, for a look and for the tests: deploy/try_nginx.sh PORT. Ctrl-C or TERM ends both.
# Settings come from the environment as in production; the database must be migrated.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${1:?usage: try_nginx.sh PORT}
web=$((port + 1))
instance=${PORTAL_INSTANCE:-$here/../instance}
python=${PYTHON:-$here/../.venv/bin/python}
work=$(mktemp -d)
chmod 755 "$work"
children=()

end() {
    trap - EXIT INT TERM
    [ ${#children[@]} -gt 0 ] && kill -TERM "${children[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 0' INT TERM

# The file as it stands, with the marked lines changed and nothing else.
sed -e "s|127\.0\.0\.1:8001|127.0.0.1:$web|" \
    -e "s|listen 80;|listen 127.0.0.1:$port;|" \
    -e "s|portal\.example\.org;|localhost 127.0.0.1;|" \
    -e "s|/srv/portal/instance/static/|$instance/static/|" \
    "$here/nginx.conf" >"$work/portal.conf"
cat >"$work/nginx.conf" <<CONF
pid $work/nginx.pid;
error_log stderr warn;
worker_processes 1;
daemon off;
$([ "$(id -u)" = 0 ] && echo "user root;")
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    include $work/portal.conf;
}
CONF
nginx=$(command -v nginx || echo /usr/sbin/nginx)
"$nginx" -e stderr -t -q -p "$work" -c "$work/nginx.conf"

cd "$here/.."
PROXIES=1 "$python" -m granian --interface wsgi --host 127.0.0.1 --port "$web" --workers "${WORKERS:-2}" \
    --blocking-threads 4 --no-ws --workers-kill-timeout 10 --log-level warning portal.wsgi:application &
children+=($!)
"$nginx" -e stderr -p "$work" -c "$work/nginx.conf" &
children+=($!)
wait -n

#!/usr/bin/env bash
# On demand, as root: the wheel in an empty Debian 12, without a network, as a service of a real systemd.
#   apt-get install debootstrap systemd-container && bash tests/clean_install.sh [FOLDER]
# FOLDER (default: a temporary one) keeps tree and wheelhouse for the next time. Takes about four minutes, then one.
set -euo pipefail
cd "$(dirname "$0")/.."
keep=${1:-$(mktemp -d)}
tree=$keep/debian12 wheels=$keep/wheels
mkdir -p "$keep"

say() { printf '== %s\n' "$*"; }

say "a wheelhouse of the wheel and all it needs"
rm -rf "$wheels" && mkdir "$wheels"
python3 -m venv "$keep/venv"
"$keep/venv/bin/pip" wheel -q --no-deps -w "$wheels" .
"$keep/venv/bin/pip" download -q  -d "$wheels" --python-version 3.11 --only-binary=:all: "$wheels"/pollwatch-*.whl

if [ ! -e "$tree/etc/debian_version" ]; then
  say "an empty Debian 12"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,python3,python3-venv bookworm "$tree" >"$keep/debootstrap.log"
fi
rm -rf "$tree/root/wheels" "$tree/opt/pollwatch" "$tree/srv/desk" "$tree/root/demo" "$tree"/root/*.log
cp -r "$wheels" "$tree/root/wheels"

inside() { systemd-nspawn -q --register=no --keep-unit --private-network --pipe -D "$tree" /bin/bash -euo pipefail -c "$1"; }

say "install, init, demo: no network but loopback"
inside '
  python3 -m venv /opt/pollwatch
  /opt/pollwatch/bin/pip install -q --no-index --find-links /root/wheels pollwatch
  getent passwd pollwatch >/dev/null || useradd --system --home-dir /srv/desk pollwatch
  /opt/pollwatch/bin/pollwatch init /srv/desk
  mkdir /root/demo && cd /root/demo && /opt/pollwatch/bin/pollwatch demo
' >"$keep/demo.log" 2>&1 || { cat "$keep/demo.log"; exit 1; }
grep "planted falsehoods are in the queue" "$keep/demo.log"

say "as a service: started, hung, killed, stopped"
cat >"$tree/root/check.sh" <<'CHECK'
#!/bin/bash
# Runs as a service of the booted tree; the last line of its log is "all is well", or it is not.
exec >/root/check.log 2>&1
set -euxo pipefail
chown -R pollwatch: /srv/desk
cd /srv/desk
/opt/pollwatch/bin/pollwatch deploy systemd --user pollwatch >/etc/systemd/system/pollwatch.service
sed -i 's/^WatchdogSec=.*/WatchdogSec=6/; s/^RestartSec=.*/RestartSec=1/' /etc/systemd/system/pollwatch.service
systemctl daemon-reload
show() { systemctl show -p "$1" --value pollwatch; }
restarted() { for _ in $(seq 60); do [ "$(show NRestarts)" -ge "$1" ] && [ "$(show ActiveState)" = active ] && return; sleep 1; done; return 1; }
systemctl start pollwatch
[ "$(show StatusText)" = "runs on sqlite:////srv/desk/pollwatch.db" ]
grep -q "^CapEff:.0000000000000000" "/proc/$(show MainPID)/status"
grep -q "^Seccomp:.2" "/proc/$(show MainPID)/status"
for _ in $(seq 60); do grep -q 'digest .*last finished' <(/opt/pollwatch/bin/pollwatch status || true) && break; sleep 1; done
/opt/pollwatch/bin/pollwatch status | grep "^daemon running" || [ "${PIPESTATUS[0]}" -eq 1 ]
! journalctl -b -u pollwatch | grep -E "Traceback|ERROR"
kill -STOP "$(show MainPID)"
restarted 1
[ "$(journalctl -b -u pollwatch | grep -c "Watchdog timeout")" -eq 1 ]
kill -KILL "$(show MainPID)"
restarted 2
systemctl stop pollwatch
[ "$(show Result)" = success ]
/opt/pollwatch/bin/pollwatch audit verify
systemd-analyze security --no-pager --threshold=20 pollwatch | tail -n 1
echo "all is well"
CHECK
chmod +x "$tree/root/check.sh"
cat >"$tree/etc/systemd/system/check.service" <<'UNIT'
[Service]
Type=oneshot
ExecStart=/root/check.sh
ExecStopPost=/bin/systemctl poweroff
[Install]
WantedBy=multi-user.target
UNIT
ln -sf /etc/systemd/system/check.service "$tree/etc/systemd/system/multi-user.target.wants/check.service"
timeout 600 systemd-nspawn -q --register=no --keep-unit --private-network --console=pipe -b -D "$tree" \
  </dev/null >"$keep/boot.log" 2>&1 || true
tail -n 2 "$tree/root/check.log"
[ "$(tail -n 1 "$tree/root/check.log")" = "all is well" ] || { cat "$tree/root/check.log"; exit 1; }

#!/bin/sh
# Makes a CA and a certificate for the webhook with openssl alone, as `scrapeguard certs generate` does. Run again with
# the same folder it keeps the CA and renews the certificate. Prints the caBundle.
#
#     certs/make.sh DIR [NAME]...
set -eu
umask 077

[ $# -ge 1 ] || {
  echo "usage: $0 DIR [NAME]..." >&2
  exit 2
}
dir=$1
shift
[ $# -gt 0 ] || set -- scrapeguard.scrapeguard-system.svc scrapeguard.scrapeguard-system.svc.cluster.local

names=
for name in "$@"; do
  case $name in
  *:* | *[!a-zA-Z0-9.*-]* | '')
    echo "$name is no DNS name and no IPv4 address" >&2
    exit 2
    ;;
  *[!0-9.]*) names="$names,DNS:$name" ;;
  *) names="$names,IP:$name" ;;
  esac
done

mkdir -p "$dir"
cd "$dir"
trap 'rm -f request.pem extensions.cnf tls.key.new tls.crt.new' EXIT

if [ ! -e ca.key ] && [ ! -e ca.crt ]; then
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj '/CN=scrapeguard CA' -out ca.crt \
    -addext keyUsage=critical,keyCertSign
fi

openssl ecparam -name prime256v1 -genkey -noout -out tls.key.new
openssl req -new -key tls.key.new -subj /CN=scrapeguard -out request.pem
cat >extensions.cnf <<END
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = ${names#,}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
serial=0x$(openssl rand -hex 16)
openssl x509 -req -in request.pem -CA ca.crt -CAkey ca.key -set_serial "$serial" -sha256 -days 365 \
  -extfile extensions.cnf -out tls.crt.new 2>/dev/null
mv tls.key.new tls.key
mv tls.crt.new tls.crt
chmod 644 ca.crt tls.crt

openssl base64 -A -in ca.crt
echo

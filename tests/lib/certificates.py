"""An authority and what it signs, made by openssl for one test."""

import subprocess

PROGRAM = "openssl"


class Authority:
    """Signs certificates of 127.0.0.1 and localhost; `file` is its own, in PEM."""

    def __init__(self, folder, name="authority"):
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.file = folder / f"{name}.pem"
        self._openssl("req", "-x509", "-subj", f"/CN={name}", "-days", "2",
                      *self._new_key(self._key), "-out", self.file)  # fmt: skip

    def sign(self, name, reach="IP:127.0.0.1,DNS:localhost"):
        """Files of a certificate for these addresses and names, and of its key."""
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        certificate, more = self._folder / f"{name}.pem", self._folder / f"{name}.ext"
        more.write_text(f"subjectAltName = {reach}\n")
        self._openssl("req", "-subj", f"/CN={name}", *self._new_key(key), "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key,
                      "-CAcreateserial", "-days", "2", "-extfile", more,
                      "-out", certificate)  # fmt: skip
        return certificate, key

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    @staticmethod
    def _openssl(*arguments):
        subprocess.run([PROGRAM, *arguments], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)  # fmt: skip

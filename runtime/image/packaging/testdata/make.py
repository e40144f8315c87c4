"""Writes the expected results of the tests, by the library `packaging` that pip contains: python3 make.py"""
import itertools, os
from pip._vendor.packaging import markers, specifiers, tags, version

here = os.path.dirname(os.path.abspath(__file__))

def write(name, lines):
    with open(os.path.join(here, name), "w") as f:
        f.writelines(line + "\n" for line in lines)

def platforms(libc, minor, machine):
    out = []
    if libc == "glibc":
        for n in range(minor, (4 if machine == "x86_64" else 16), -1):
            out.append(f"manylinux_2_{n}_{machine}")
            legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}.get(n)
            if legacy: out.append(f"{legacy}_{machine}")
    else:
        out += [f"musllinux_1_{n}_{machine}" for n in range(minor, -1, -1)]
    return out + [f"linux_{machine}"]

rows = []
for (minor, libc, libc_minor, machine) in [(11, "glibc", 36, "x86_64"), (9, "musl", 2, "aarch64"), (13, "glibc", 28, "aarch64")]:
    p = platforms(libc, libc_minor, machine)
    all = list(tags.cpython_tags((3, minor), [f"cp3{minor}"], p)) + list(tags.compatible_tags((3, minor), f"cp3{minor}", p))
    seen = []
    for t in map(str, all):
        if t not in seen: seen.append(t)
    rows += [f"{minor} {libc} {libc_minor} {machine} {t}" for t in seen]
write("tags.txt", rows)

versions = ["1.0", "1", "1.0.0", "1.0.dev1", "1.0a1", "1.0a1.dev2", "1.0.alpha.1", "1.0b2", "1.0rc1", "1.0c1", "1.0.post1", "1.0-1", "1.0.post1.dev3", "1.0+local", "1.0+local.2", "1.0+5", "1.0+local.10",
            "1.1", "1.10", "1.2", "2!0.1", "v1.3", "1.7", "1.7.post2", "1.7.1", "1.7a1", "2024.10.31", "0.0.1", "1.0.0.dev20240101000000000000000", "3.11.7", "1.7+x"]
write("versions.txt", sorted_ := [f"{v} {sum(version.Version(v) > version.Version(o) for o in versions)}" for v in versions])

specs = ["==1.0", "==1.0.*", "!=1.0", "!=1.0.*", "~=1.0", "~=1.7.0", ">=1.0", "<=1.0", ">1.0", "<1.0", ">1.7", "<1.7", ">1.7.post1", "<1.7a2", "===1.0", "==1.0+local", ">=1.0,<2", ">=3.9,!=3.10.*", "==2!0.1", ">=1.0.post1", "==1.0a1", "", "~=2!0.0"]
write("specifiers.txt", [f"{s or '-'} {v} {specifiers.SpecifierSet(s).contains(v, prereleases=True)}" for s, v in itertools.product(specs, versions)])

env = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64", "platform_release": "", "platform_version": "", "python_version": "3.10", "python_full_version": "3.10.13",
       "implementation_name": "cpython", "implementation_version": "3.10.13", "platform_python_implementation": "CPython", "extra": "gpu"}
texts = ["python_version >= '3.9'", 'python_version < "3.10"', "python_version in '3.9 3.10'", "python_version not in '3.9, 3.10'", "'3.9' <= python_version", "'3.11' > python_version",
         "python_full_version == '3.10.*'", "python_full_version < '3.10.14'", "sys_platform == 'linux' and platform_machine == 'x86_64'", "sys_platform == 'linux' or platform_machine == 'x86_64'",
         "sys_platform == 'win32' and python_version < '3' or os_name == 'posix'", "(sys_platform == 'win32' or os_name == 'posix') and implementation_name == 'cpython'",
         "'linux' in sys_platform", "sys_platform != 'darwin'", "extra == 'gpu'", "extra == 'cpu'", "extra != 'cpu' and python_version ~= '3.8'", "platform_python_implementation != 'PyPy'", "'64' in platform_machine",
         "python_version == '3.10'", "python_version > '3.9' and python_version < '3.12'", "platform_system=='Linux'", "sys_platform > 'a'"]
write("markers.txt", [f"{markers.Marker(t).evaluate(env)} {t}" for t in texts])

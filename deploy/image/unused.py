"""What a server never imports or loads, and the image does without."""

# Of the standard library: interfaces, development, databases, other concurrency than ours, and what
# stands in where a library in C is missing.
MODULES = {
    "__phello__", "_pydatetime", "_pydecimal", "_pyio", "_pyrepl", "antigravity",
     "asyncio", "bdb", "cProfile", "code", "codeop", "configparser", "curses", "dbm",
    "doctest", "ensurepip", "ftplib", "idlelib", "imaplib", "lib-dynload", "mailbox",
    "multiprocessing", "optparse", "pdb", "pickletools", "poplib", "profile", "pstats", "pty",
    "pydoc", "pydoc_data", "smtplib", "sqlite3", "tabnanny", "tarfile", "test", "this", "tkinter",
    "trace", "turtle", "turtledemo", "unittest", "venv", "webbrowser", "xml", "xmlrpc", "zipapp",
}  # fmt: skip
# Their libraries, and encodings of East Asia.
LIBRARIES = (
    "_asyncio", "_codecs_", "_crypt", "_ctypes_test", "_curses", "_dbm", "_elementtree", "_gdbm",
    "_lsprof", "_multibytecodec", "_multiprocessing", "_posixshmem", "_sqlite3", "_test",
    "_tkinter", "_xx", "pyexpat", "readline", "xx",
)  # fmt: skip

# Of the packages: sources, and what only builds, tests or converts. onnxruntime's Python module has
# the library in itself; nothing loads the one beside it. Of numpy only arrays are used.
FILES = (
    "**/tests", "**/test_*.py", "**/*.pyi", "**/*.h", "**/*.c", "**/*.cpp", "**/*.pxd", "**/*.pyx",
    "**/*.a", "**/*.lib", "**/py.typed",
    "flatbuffers", "google", "numpy/_core/_*_tests.*", "numpy/_core/_simd.*", "numpy/_core/include",
    "numpy/_core/lib", "numpy/_pyinstaller", "numpy/f2py", "numpy/fft", "numpy/ma",
    "numpy/polynomial", "numpy/random", "numpy/testing", "packaging", "werkzeug/debug/shared",
    "onnxruntime/backend", "onnxruntime/capi/libonnxruntime.so*", "onnxruntime/capi/training",
    "onnxruntime/datasets",
    "onnxruntime/quantization", "onnxruntime/tools", "onnxruntime/transformers",
    "flatbuffers-*", "packaging-*", "protobuf-*", "pip", "pip-*",
    "*.dist-info/RECORD", "*.dist-info/REQUESTED",
)  # fmt: skip

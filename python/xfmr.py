"""The xfmr runtime from Python: ctypes over the C interface (xfmr.h), no other package.

    import xfmr
    model = xfmr.Model("tales.xfm")                          # device="auto", "cpu", "0", "gpu:layers=8,cpu", …
    print(model.complete("Once upon a time", 48))            # greedy
    for piece in model.stream("Once upon a time", 48, temperature=0.8, seed=1, stop=["\\n"]):
        print(piece, end="", flush=True)

A level below, with ids: `session = model.session()`, then `session.prefill(ids)`, `session.logits()`, `session.generate(n)`. What a
function does, its units and its errors are those of the C function of the same name; a failure raises xfmr.Error with its text.

The library is the file that XFMR_LIBRARY names, or libxfmr.so of the installation that this file belongs to, or the system's.
"""
import ctypes
import os
import queue
import threading
from ctypes import POINTER, byref, c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

__all__ = ["Decoder", "Error", "Model", "Session", "devices", "version"]

_CAPACITY = 6
FINISH = ("length", "end", "context", "stopped")


class Error(RuntimeError):
    """A failure of the library; `status` is the number of xfmr_status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class _Options(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("device", c_char_p), ("threads", c_uint32)]


class _Info(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("device", c_char_p), ("report", c_char_p), ("vocab_size", c_uint32),
                ("hidden_size", c_uint32), ("max_context", c_uint32), ("prefill_chunk", c_uint32), ("prefill_few", c_uint32),
                ("parameters", c_uint64), ("bos_token", c_int32), ("eos_tokens", POINTER(c_int32)),
                ("num_eos_tokens", c_size_t), ("has_tokenizer", c_bool)]


class _Details(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("engine", c_char_p), ("targets", c_char_p), ("threads", c_uint32), ("max_position", c_uint32),
                ("why", c_char_p), ("is_encoder", c_bool), ("pooling", c_char_p), ("reads_source", c_bool), ("embedding_size", c_uint32)]


class _Message(ctypes.Structure):
    _fields_ = [("role", c_char_p), ("content", c_char_p)]


class _Device(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("id", c_char_p), ("name", c_char_p), ("kind", c_char_p), ("offers", c_char_p),
                ("memory", c_uint64), ("lacks", c_char_p), ("limits", c_char_p), ("variants", c_char_p)]


class _Sampling(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("seed", c_uint64), ("temperature", c_float), ("top_k", c_uint32), ("top_p", c_float),
                ("min_p", c_float), ("repetition_penalty", c_float), ("ignore_eos", c_bool)]


class _EmbedOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("pooling", c_int32), ("normalize", c_int32)]


_POOLING = (None, "mean", "cls", "max", "mean_sqrt_len", "last")
_OnToken = ctypes.CFUNCTYPE(c_bool, c_void_p, c_int32)
_OnDevice = ctypes.CFUNCTYPE(None, c_void_p, POINTER(_Device))


def _find():
    if "XFMR_LIBRARY" in os.environ:
        return os.environ["XFMR_LIBRARY"]
    folder = os.path.dirname(os.path.abspath(__file__))
    while folder != os.path.dirname(folder):
        for lib in ("lib", "lib64", "lib/x86_64-linux-gnu"):
            path = os.path.join(folder, lib, "libxfmr.so")
            if os.path.exists(path):
                return path
        folder = os.path.dirname(folder)
    return "libxfmr.so"


_lib = ctypes.CDLL(_find())
for _name, _result, _arguments in [
        ("last_error", c_char_p, []), ("version", c_char_p, []),
        ("list_devices", c_int32, [c_void_p, _OnDevice, c_void_p]),
        ("model_open_with", c_int32, [c_char_p, POINTER(_Options), POINTER(c_void_p)]), ("model_close", None, [c_void_p]),
        ("model_get_info", c_int32, [c_void_p, POINTER(_Info)]),
        ("model_get_details", c_int32, [c_void_p, POINTER(_Details)]),
        ("encode", c_int32, [c_void_p, c_char_p, c_size_t, c_bool, POINTER(c_int32), c_size_t, POINTER(c_size_t)]),
        ("encode_pair", c_int32, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_int32), c_size_t, POINTER(c_size_t)]),
        ("decode_text", c_int32, [c_void_p, POINTER(c_int32), c_size_t, c_char_p, c_size_t, POINTER(c_size_t)]),
        ("chat_text", c_int32, [c_void_p, POINTER(_Message), c_size_t, c_bool, c_char_p, c_size_t, POINTER(c_size_t)]),
        ("decoder_create", c_int32, [c_void_p, POINTER(c_void_p)]), ("decoder_close", None, [c_void_p]),
        ("decoder_push", c_int32, [c_void_p, c_int32, POINTER(c_void_p), POINTER(c_size_t)]),
        ("decoder_flush", c_int32, [c_void_p, POINTER(c_void_p), POINTER(c_size_t)]),
        ("session_create", c_int32, [c_void_p, POINTER(c_void_p)]), ("session_close", None, [c_void_p]),
        ("session_reset", c_int32, [c_void_p]), ("session_position", c_uint32, [c_void_p]),
        ("prefill", c_int32, [c_void_p, POINTER(c_int32), c_size_t]), ("decode", c_int32, [c_void_p, c_int32]),
        ("logits", c_int32, [c_void_p, POINTER(c_float), c_size_t]),
        ("embed", c_int32, [c_void_p, POINTER(c_int32), c_size_t, POINTER(_EmbedOptions), POINTER(c_float), c_size_t]),
        ("generate_with", c_int32, [c_void_p, POINTER(_Sampling), c_uint32, _OnToken, c_void_p, POINTER(c_int32)])]:
    _function = getattr(_lib, "xfmr_" + _name)
    _function.restype, _function.argtypes = _result, _arguments


def _check(status):
    if status:
        raise Error(status, _lib.xfmr_last_error().decode())


def _ids(ids):
    return (c_int32 * len(ids))(*ids)


def version():
    """Version of the runtime."""
    return _lib.xfmr_version().decode()


def devices(model=None):
    """What each device offers, a dict a device; with a model `lacks` says why one cannot run it, or is empty, and
    `variants` which code of its kernels runs there."""
    found = []

    def add(_, device):
        each = device.contents
        found.append({"device": each.id.decode(), "name": each.name.decode(), "kind": each.kind.decode(),
                      "offers": each.offers.decode(), "memory": each.memory, "lacks": each.lacks.decode(),
                      "limits": each.limits.decode().splitlines(), "variants": each.variants.decode().splitlines()})

    _check(_lib.xfmr_list_devices(model._handle if model else None, _OnDevice(add), None))
    return found


class Model:
    """An artifact on a device; with device="none" only its tokenizer and information."""

    _handle = None

    def __init__(self, path, device="auto", threads=0):
        options = _Options(ctypes.sizeof(_Options), device.encode(), threads)
        handle = c_void_p()
        _check(_lib.xfmr_model_open_with(os.fsencode(path), byref(options), byref(handle)))
        self._handle = handle
        info = _Info()
        _check(_lib.xfmr_model_get_info(handle, byref(info)))
        self.name, self.device, self.report = info.name.decode(), info.device.decode(), info.report.decode()
        self.vocab_size, self.hidden_size, self.max_context = info.vocab_size, info.hidden_size, info.max_context
        self.parameters, self.bos_token = info.parameters, info.bos_token
        details = _Details(ctypes.sizeof(_Details))
        _check(_lib.xfmr_model_get_details(handle, byref(details)))
        self.embedding_size = details.embedding_size
        self.eos_tokens = info.eos_tokens[:info.num_eos_tokens]
        self.has_tokenizer = info.has_tokenizer

    def close(self):
        if self._handle:
            _lib.xfmr_model_close(self._handle)
            self._handle = None

    __del__ = close

    def encode(self, text, special=True):
        """Ids of a text; `special`: with those that the tokenizer adds (BOS and so on)."""
        raw = text.encode()
        return self._encoded(len(raw), lambda *out: _lib.xfmr_encode(self._handle, raw, len(raw), special, *out))

    def encode_pair(self, first, second):
        """Ids of two texts that an encoder reads as one, joined as the tokenizer has it."""
        one, two = first.encode(), second.encode()
        return self._encoded(len(one) + len(two),
                             lambda *out: _lib.xfmr_encode_pair(self._handle, one, len(one), two, len(two), *out))

    @staticmethod
    def _encoded(size, call):
        count = c_size_t()
        ids = (c_int32 * (size + 16))()
        status = call(ids, len(ids), byref(count))
        if status == _CAPACITY:
            ids = (c_int32 * count.value)()
            status = call(ids, len(ids), byref(count))
        _check(status)
        return ids[:count.value]

    def decode(self, ids):
        """The text of ids, special tokens left out."""
        return self._text(lambda *out: _lib.xfmr_decode_text(self._handle, _ids(ids), len(ids), *out))

    def chat(self, messages, continues=True):
        """A conversation [{"role": …, "content": …}] as text, by the checkpoint's template; encode it with special=False."""
        list_ = (_Message * len(messages))(*[(m["role"].encode(), m["content"].encode()) for m in messages])
        return self._text(lambda *out: _lib.xfmr_chat_text(self._handle, list_, len(messages), continues, *out))

    @staticmethod
    def _text(call):
        count = c_size_t()
        status = call(None, 0, byref(count))
        buffer = ctypes.create_string_buffer(count.value + 1)
        if status == _CAPACITY:
            status = call(buffer, count.value, byref(count))
        _check(status)
        return buffer.raw[:count.value].decode()

    def session(self):
        return Session(self)

    def embed(self, text, pooling=None, normalize=None):
        """The vector of a text, of two in a tuple read as one, or of ids by an encoder, pooled as its checkpoint says, or by "mean", "cls",
        "max", "mean_sqrt_len" or "last"; `normalize`: to length 1, or not."""
        if isinstance(text, str):
            ids = self.encode(text)
        elif isinstance(text, tuple) and all(isinstance(each, str) for each in text):
            ids = self.encode_pair(*text)
        else:
            ids = list(text)
        options = _EmbedOptions(ctypes.sizeof(_EmbedOptions), _POOLING.index(pooling), 0 if normalize is None else 1 if normalize else -1)
        vector, session = (c_float * (self.hidden_size if pooling else self.embedding_size))(), self.session()
        _check(_lib.xfmr_embed(session._handle, _ids(ids), len(ids), byref(options), vector, len(vector)))
        return vector[:]

    def stream(self, prompt, count, stop=(), **sampling):
        """Text after `prompt` (a text, ids, or messages), piece by piece, up to one of the texts in `stop`."""
        if isinstance(prompt, str):
            ids = self.encode(prompt)
        elif prompt and isinstance(prompt[0], dict):
            ids = self.encode(self.chat(prompt), special=False)
        else:
            ids = list(prompt)
        session, decoder, held = self.session(), Decoder(self), ""
        session.prefill(ids)
        for token in ids:  # so that the first piece joins the prompt as in the whole text
            decoder.push(token)
        tokens = session.stream(count, **sampling)
        for token in tokens:
            held += decoder.push(token)
            found = min((held.find(text) for text in stop if text in held), default=-1)
            if found >= 0:
                tokens.close()
                yield held[:found]
                return
            keep = max((n for text in stop for n in range(1, len(text)) if held.endswith(text[:n])), default=0)
            if len(held) > keep:
                yield held[:len(held) - keep]
                held = held[len(held) - keep:]
        held += decoder.flush()
        if held:
            yield held

    def complete(self, prompt, count, **options):
        """What stream() gives, as one text."""
        return "".join(self.stream(prompt, count, **options))


class Decoder:
    """Ids become text as they come, never half a character."""

    _handle = None

    def __init__(self, model):
        handle = c_void_p()
        _check(_lib.xfmr_decoder_create(model._handle, byref(handle)))
        self._handle = handle

    def _take(self, call):
        text, count = c_void_p(), c_size_t()
        _check(call(byref(text), byref(count)))
        return ctypes.string_at(text, count.value).decode()

    def push(self, token):
        return self._take(lambda *out: _lib.xfmr_decoder_push(self._handle, token, *out))

    def flush(self):
        return self._take(lambda *out: _lib.xfmr_decoder_flush(self._handle, *out))

    def __del__(self):
        if self._handle:
            _lib.xfmr_decoder_close(self._handle)
            self._handle = None


class Session:
    """Tokens in a cache. Serves one thread at a time."""

    _handle = None

    def __init__(self, model):
        handle = c_void_p()
        _check(_lib.xfmr_session_create(model._handle, byref(handle)))
        self._handle, self._vocab = handle, model.vocab_size
        self.finish = None  # why the last generation ended, a word of FINISH

    def __del__(self):
        if self._handle:
            _lib.xfmr_session_close(self._handle)
            self._handle = None

    @property
    def position(self):
        return _lib.xfmr_session_position(self._handle)

    def reset(self):
        _check(_lib.xfmr_session_reset(self._handle))

    def source(self, ids):
        """Of an encoder with a decoder: reads the source and forgets all else; prefill then takes what the decoder begins with."""
        _check(_lib.xfmr_source(self._handle, _ids(ids), len(ids)))

    def prefill(self, ids):
        _check(_lib.xfmr_prefill(self._handle, _ids(ids), len(ids)))

    def decode(self, token):
        _check(_lib.xfmr_decode(self._handle, token))

    def logits(self):
        """Logits after the last token, a list of floats."""
        row = (c_float * self._vocab)()
        _check(_lib.xfmr_logits(self._handle, row, len(row)))
        return row[:]

    def generate(self, count, on_token=None, temperature=0.0, top_k=0, top_p=0.0, min_p=0.0, repetition_penalty=0.0, seed=0,
                 ignore_eos=False):
        """At most `count` ids after the last token. on_token(id) sees each as it appears; False stops."""
        ids, failed = [], []

        def take(_, token):
            ids.append(token)
            try:
                return on_token is None or on_token(token) is not False
            except BaseException as error:  # nothing may fly through C
                failed.append(error)
                return False

        options = _Sampling(ctypes.sizeof(_Sampling), seed, temperature, top_k, top_p, min_p, repetition_penalty, ignore_eos)
        finish = c_int32()
        _check(_lib.xfmr_generate_with(self._handle, byref(options), count, _OnToken(take), None, byref(finish)))
        if failed:
            raise failed[0]
        self.finish = FINISH[finish.value]
        return ids

    def stream(self, count, **sampling):
        """The same as a generator; the device works on while its tokens are used. Closing it stops."""
        tokens, stopped, done = queue.Queue(), threading.Event(), object()

        def run():
            try:
                self.generate(count, lambda token: tokens.put(token) or not stopped.is_set(), **sampling)
                tokens.put(done)
            except BaseException as error:
                tokens.put(error)

        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        try:
            while (token := tokens.get()) is not done:
                if isinstance(token, BaseException):
                    raise token
                yield token
        finally:
            stopped.set()
            worker.join()

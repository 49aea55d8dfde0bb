// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // ENGINE: see the header.

#include "launch/pkcs11_key.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "hosted/files.h"
#include "hosted/openssl/openssl.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "openssl/crypto.h"
#include "openssl/engine.h"
#include "openssl/err.h"
#include "openssl/ui.h"

namespace launch {
namespace {

using hosted::openssl::PkeyPtr;

constexpr size_t kMaxPinFile = 4096;

// A structural and, once initialised, a functional reference.
class Engine {
 public:
  explicit Engine(ENGINE* engine) : engine_(engine) {}
  ~Engine() {
    if (running_) ENGINE_finish(engine_);
    ENGINE_free(engine_);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  ENGINE* get() const { return engine_; }
  bool Set(const char* command, const std::string& value) {
    return ENGINE_ctrl_cmd_string(engine_, command, value.c_str(), 0) == 1;
  }
  bool Start() { return running_ = ENGINE_init(engine_) == 1; }

 private:
  ENGINE* engine_;
  bool running_ = false;
};

absl::Status Unusable(std::string_view what) {
  std::string text(what);
  const unsigned long error = ERR_peek_last_error();
  if (error != 0) {
    const char* reason = ERR_reason_error_string(error);
    absl::StrAppend(&text, " (", reason != nullptr ? reason : "no reason given",
                    ")");
  }
  ERR_clear_error();
  return Error(kPkcs11Unusable, text);
}

// A URI without its pin-source, and the file that this names: the engine would
// take the end of that file's line for a part of the PIN.
struct Uri {
  std::string rest;
  std::string pin_file;
};

absl::StatusOr<Uri> SplitUri(const std::string& uri) {
  constexpr std::string_view kPinSource = "pin-source=";
  // Older engines want attributes of path and query alike after a semicolon.
  Uri out;
  for (const std::string_view part :
       absl::StrSplit(uri.substr(sizeof("pkcs11:") - 1), absl::ByAnyChar(";?&"),
                      absl::SkipEmpty())) {
    if (absl::StartsWith(part, "pin-value=")) {
      return Error(kPkcs11Unusable,
                   "a PIN on the command line is everybody's: put it into a "
                   "file, and name that by --pin-file or pin-source=");
    }
    if (!absl::StartsWith(part, kPinSource)) {
      absl::StrAppend(&out.rest, out.rest.empty() ? "pkcs11:" : ";", part);
      continue;
    }
    std::string_view path = part.substr(kPinSource.size());
    if (!absl::ConsumePrefix(&path, "file://")) {
      absl::ConsumePrefix(&path, "file:");
    }
    if (path.empty() || path.front() == '|' || absl::StrContains(path, '%')) {
      return Error(kPkcs11Unusable, "pin-source wants a file's path as it is");
    }
    out.pin_file = path;
  }
  return out;
}

// The first line of the file. Wiped by the caller.
absl::StatusOr<std::string> ReadPin(const std::string& path) {
  auto bytes = hosted::ReadInput(path, kMaxPinFile);
  if (!bytes.ok()) {
    return Error(kFileUnusable, bytes.status().message(),
                 bytes.status().code());
  }
  std::string pin;
  for (const uint8_t byte : *bytes) {
    if (byte == '\n' || byte == '\r') break;
    pin.push_back(static_cast<char>(byte));
  }
  OPENSSL_cleanse(bytes->data(), bytes->size());
  if (pin.empty()) {
    return Error(kPkcs11Unusable, absl::StrCat(path, " has no PIN in it"));
  }
  return pin;
}

absl::Status SetPin(Engine& engine, const std::string& path) {
  auto pin = ReadPin(path);
  if (!pin.ok()) return pin.status();
  const bool set = engine.Set("PIN", *pin);
  OPENSSL_cleanse(pin->data(), pin->size());
  return set ? absl::OkStatus() : Unusable("the engine takes no PIN");
}

}  // namespace

absl::StatusOr<LoadedKey> LoadPkcs11Key(const KeySource& source, KeyHalf half) {
  const auto uri = SplitUri(source.name);
  if (!uri.ok()) return uri.status();
  ERR_clear_error();
  ENGINE_load_builtin_engines();  // "dynamic", which finds the others.
  ENGINE* found = ENGINE_by_id("pkcs11");
  if (found == nullptr) {
    return Unusable(
        "OpenSSL's engine \"pkcs11\" is not installed (Debian: "
        "libengine-pkcs11-openssl)");
  }
  const auto engine = std::make_shared<Engine>(found);
  if (!source.pkcs11_module.empty() &&
      !engine->Set("MODULE_PATH", source.pkcs11_module)) {
    return Unusable("the engine takes no module");
  }
  const std::string& pin_file =
      uri->pin_file.empty() ? source.pin_file : uri->pin_file;
  if (!pin_file.empty()) {
    const absl::Status set = SetPin(*engine, pin_file);
    if (!set.ok()) return set;
  }
  if (!engine->Start()) {
    return Unusable("the PKCS#11 module cannot be loaded (--pkcs11-module)");
  }
  // Nobody is asked for a PIN: a build machine has nobody.
  UI_METHOD* const nobody = const_cast<UI_METHOD*>(UI_null());
  PkeyPtr key(half == KeyHalf::kPrivate
                  ? ENGINE_load_private_key(engine->get(), uri->rest.c_str(),
                                            nobody, nullptr)
                  : ENGINE_load_public_key(engine->get(), uri->rest.c_str(),
                                           nobody, nullptr));
  if (!key) {
    return Unusable(absl::StrCat(
        "the token has no such ",
        half == KeyHalf::kPrivate ? "private key for this PIN" : "public key"));
  }
  return LoadedKey{engine, std::move(key)};
}

}  // namespace launch

// SPDX-License-Identifier: Apache-2.0
#include "hosted/openssl/openssl.h"

#include "absl/strings/str_cat.h"
#include "openssl/err.h"

namespace hosted::openssl {

std::string TakeError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no error";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

absl::Status Failure(std::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", TakeError()));
}

}  // namespace hosted::openssl

// SPDX-License-Identifier: Apache-2.0
//
// third_party/README.md says which advisories about Mbed TLS do not matter here
// because a part of it is not compiled. Whoever compiles that part, or pins
// another version, has to read them again.
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include "gtest/gtest.h"
#include "mbedtls/build_info.h"
#include "psa/crypto.h"

namespace {

// A macro that is not defined is spelled like itself.
#define SPELLING(macro) #macro
#define ROW(macro) {#macro, SPELLING(macro) != std::string(#macro)}

// {macro: whether it is defined}, derived ones too: as the library sees them.
const std::map<std::string, bool>& Macros() {
  static const std::map<std::string, bool> macros = {
      ROW(MBEDTLS_CCM_C),
      ROW(MBEDTLS_CHACHA20_C),
      ROW(MBEDTLS_CIPHER_MODE_CBC),
      ROW(MBEDTLS_DHM_C),
      ROW(MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED),
      ROW(MBEDTLS_ENTROPY_C),
      ROW(MBEDTLS_GENPRIME),
      ROW(MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED),
      ROW(MBEDTLS_KEY_EXCHANGE_ECJPAKE_ENABLED),
      ROW(MBEDTLS_LMS_C),
      ROW(MBEDTLS_PEM_PARSE_C),
      ROW(MBEDTLS_PKCS7_C),
      ROW(MBEDTLS_PK_USE_PSA_EC_DATA),
      ROW(MBEDTLS_RSA_C),
      ROW(MBEDTLS_SSL_CONTEXT_SERIALIZATION),
      ROW(MBEDTLS_SSL_DTLS_SRTP),
      ROW(MBEDTLS_SSL_EARLY_DATA),
      ROW(MBEDTLS_SSL_PROTO_DTLS),
      ROW(MBEDTLS_SSL_PROTO_TLS1_2),
      ROW(MBEDTLS_SSL_RENEGOTIATION),
      ROW(MBEDTLS_SSL_SESSION_TICKETS),
      ROW(MBEDTLS_SSL_SRV_C),
      ROW(MBEDTLS_X509_CREATE_C),
      ROW(PSA_WANT_ALG_FFDH),
      // What is compiled, to see that this can tell.
      ROW(MBEDTLS_ECP_NIST_OPTIM),
      ROW(MBEDTLS_HAVE_ASM),
      ROW(MBEDTLS_SSL_CLI_C),
      ROW(MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG),
      ROW(PSA_WANT_ALG_ECDH),
  };
  return macros;
}

std::string Readme() {
  std::ifstream file("third_party/README.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(AdvisoriesTest, WereReadForTheVersionThatIsPinned) {
  EXPECT_NE(Readme().find("\n### Mbed TLS " MBEDTLS_VERSION_STRING "\n"),
            std::string::npos)
      << "third_party/README.md has no table for Mbed TLS "
      << MBEDTLS_VERSION_STRING << ": read its advisories";
}

TEST(AdvisoriesTest, WhatIsSaidNotToBeCompiledIsNot) {
  const std::string readme = Readme();
  // To the next sentence or cell: a "." or "|" is in no macro's name.
  const std::regex claim("not compiled: ((?:`[A-Z0-9_]+`(?:, )?)+)");
  const std::regex name("[A-Z0-9_]+");
  int claims = 0;
  for (std::sregex_iterator row(readme.begin(), readme.end(), claim), end;
       row != end; ++row, ++claims) {
    const std::string macros = (*row)[1];
    for (std::sregex_iterator macro(macros.begin(), macros.end(), name);
         macro != end; ++macro) {
      const auto found = Macros().find(macro->str());
      ASSERT_NE(found, Macros().end())
          << macro->str() << " is not in this test's list: add it";
      EXPECT_FALSE(found->second) << macro->str() << " is defined: advisories "
                                  << "in third_party/README.md matter now";
    }
  }
  EXPECT_GE(claims, 25);
}

TEST(AdvisoriesTest, ADefinedMacroIsSeen) {
  for (const char* macro :
       {"MBEDTLS_ECP_NIST_OPTIM", "MBEDTLS_HAVE_ASM", "MBEDTLS_SSL_CLI_C",
        "MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG", "PSA_WANT_ALG_ECDH"}) {
    EXPECT_TRUE(Macros().at(macro)) << macro;
  }
}

}  // namespace

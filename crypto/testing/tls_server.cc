// SPDX-License-Identifier: Apache-2.0
#include "crypto/testing/tls_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/reasons.h"
#include "openssl/bio.h"
#include "openssl/ec.h"
#include "openssl/err.h"
#include "openssl/rsa.h"
#include "openssl/sha.h"

namespace crypto::testing {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;

void Must(bool ok) {
  if (ok) return;
  ERR_print_errors_fp(stderr);
  abort();
}

// OpenSSL's EVP_EC_gen() and SSL_CTX_set1_groups_list() are macros that cast
// const away; these do not.
EVP_PKEY* MakeEcKey(std::string curve) {
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve.data());
}
bool SetGroups(SSL_CTX* context, std::string groups) {
  return SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, groups.data()) == 1;
}

EVP_PKEY* MakeKey(KeyKind kind) {
  switch (kind) {
    case KeyKind::kP256:
      return MakeEcKey("P-256");
    case KeyKind::kP384:
      return MakeEcKey("P-384");
    case KeyKind::kP521:
      return MakeEcKey("P-521");
    case KeyKind::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case KeyKind::kRsa2048:
      return EVP_RSA_gen(2048);
  }
  return nullptr;
}

}  // namespace

std::array<uint8_t, 32> Identity::Pin() const {
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  Must(size > 0);
  std::array<uint8_t, 32> pin;
  SHA256(der, static_cast<size_t>(size), pin.data());
  OPENSSL_free(der);
  return pin;
}

Identity MakeIdentity(KeyKind kind) {
  Identity identity;
  identity.key.reset(MakeKey(kind));
  identity.certificate.reset(X509_new());
  X509* const certificate = identity.certificate.get();
  Must(identity.key != nullptr && certificate != nullptr);
  Must(X509_set_version(certificate, X509_VERSION_3) == 1);
  Must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
  // Long over: dates are not looked at.
  Must(ASN1_TIME_set_string(X509_getm_notBefore(certificate),
                            "20000101000000Z") == 1);
  Must(ASN1_TIME_set_string(X509_getm_notAfter(certificate),
                            "20010101000000Z") == 1);
  X509_NAME* const name = X509_get_subject_name(certificate);
  Must(X509_NAME_add_entry_by_txt(
           name, "CN", MBSTRING_ASC,
           reinterpret_cast<const unsigned char*>("test"), -1, -1, 0) == 1);
  Must(X509_set_issuer_name(certificate, name) == 1);
  Must(X509_set_pubkey(certificate, identity.key.get()) == 1);
  const EVP_MD* const digest = kind == KeyKind::kEd25519 ? nullptr
                               : kind == KeyKind::kP384  ? EVP_sha384()
                                                         : EVP_sha256();
  Must(X509_sign(certificate, identity.key.get(), digest) > 0);
  return identity;
}

TlsServer::TlsServer(base::ByteStream& lower, const Identity& identity,
                     const TlsServerOptions& options)
    : lower_(lower), context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX* const context = context_.get();
  Must(context != nullptr);
  SSL_CTX_set_security_level(context, 1);
  Must(SSL_CTX_set_min_proto_version(context, options.min_version) == 1);
  Must(SSL_CTX_set_max_proto_version(context, options.max_version) == 1);
  Must(SSL_CTX_set_ciphersuites(context, options.cipher_suites.c_str()) == 1);
  Must(SetGroups(context, options.groups));
  Must(SSL_CTX_set_num_tickets(context, options.tickets) == 1);
  Must(SSL_CTX_use_certificate(context, identity.certificate.get()) == 1);
  Must(SSL_CTX_use_PrivateKey(context, identity.key.get()) == 1);
  for (const X509* more : options.more_certificates) {
    Must(SSL_CTX_add1_chain_cert(context, const_cast<X509*>(more)) == 1);
  }
  if (options.request_client_certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  ssl_.reset(SSL_new(context));
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  Must(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
  SSL_set_bio(ssl_.get(), in_, out_);
  if (options.connect) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

TlsServer::~TlsServer() = default;

void TlsServer::Pump() {
  uint8_t bytes[4096];
  while (!lower_closed_) {
    const Result<size_t> got = lower_.Read(bytes);
    if (!got.ok()) lower_closed_ = true;
    if (!got.ok() || *got == 0) break;
    Must(BIO_write(in_, bytes, static_cast<int>(*got)) ==
         static_cast<int>(*got));
  }
  int made = 0;
  while ((made = BIO_read(out_, bytes, sizeof(bytes))) > 0) {
    unsent_.insert(unsent_.end(), bytes, bytes + made);
  }
  while (!unsent_.empty()) {
    const Result<size_t> sent = lower_.Write(unsent_);
    if (!sent.ok() || *sent == 0) break;
    unsent_.erase(unsent_.begin(),
                  unsent_.begin() + static_cast<ptrdiff_t>(*sent));
  }
}

Status TlsServer::Failed(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    if (!lower_closed_) return {};
    error_ = "the stream below ended";
  } else if (why == SSL_ERROR_ZERO_RETURN) {
    error_ = "close_notify";
  } else {
    char text[256] = "?";
    ERR_error_string_n(ERR_peek_error(), text, sizeof(text));
    error_ = text;
  }
  ERR_clear_error();
  return Status(Code::kUnavailable, base::kStreamClosed);
}

Result<Step> TlsServer::Handshake() {
  Pump();
  const int result = SSL_do_handshake(ssl_.get());
  Pump();
  if (result == 1) return Step::kDone;
  BASE_TRY(Failed(result));
  return Step::kWaiting;
}

Result<size_t> TlsServer::Read(base::MutableBytes out) {
  Pump();
  const int result =
      SSL_read(ssl_.get(), out.data(), static_cast<int>(out.size()));
  Pump();
  if (result > 0) return static_cast<size_t>(result);
  BASE_TRY(Failed(result));
  return size_t{0};
}

Result<size_t> TlsServer::Write(base::Bytes bytes) {
  const int result =
      SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  Pump();
  if (result > 0) return static_cast<size_t>(result);
  BASE_TRY(Failed(result));
  return size_t{0};
}

Status TlsServer::Export(const char* label, base::Bytes context,
                         base::MutableBytes out) {
  if (SSL_export_keying_material(ssl_.get(), out.data(), out.size(), label,
                                 strlen(label), context.data(), context.size(),
                                 /*use_context=*/1) != 1) {
    return Status(Code::kFailedPrecondition, base::kStreamClosed);
  }
  return {};
}

void TlsServer::SendKeyUpdate() {
  Must(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
  SSL_do_handshake(ssl_.get());
  Pump();
}

void TlsServer::Close() {
  SSL_shutdown(ssl_.get());
  Pump();
}

}  // namespace crypto::testing

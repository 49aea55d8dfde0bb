// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/identity.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/secret_buffer.h"
#include "hosted/files.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/store/files.h"

namespace verifier {
namespace {

constexpr size_t kMaxPem = 16 * 1024;

std::string KeyPath(const std::string& folder) {
  return absl::StrCat(folder, "/tls.key");
}
std::string CertificatePath(const std::string& folder) {
  return absl::StrCat(folder, "/tls.crt");
}

absl::Status Failed(std::string_view what) {
  return Error(kStoreOpen, absl::StatusCode::kInternal,
               absl::StrCat(what, ": ", ossl::TakeError()));
}

ossl::X509Ptr SelfSigned(EVP_PKEY* key) {
  ossl::X509Ptr certificate(X509_new());
  X509* x509 = certificate.get();
  std::array<uint8_t, 8> serial;
  ossl::RandomBytes(serial);
  serial[0] &= 0x7F;  // Positive.
  uint64_t number = base::LoadBe<uint64_t>(serial);
  const char* kName = "forelock-verifier";
  // EDGE: OpenSSL takes ASCII as unsigned char.
  const auto* name = reinterpret_cast<const unsigned char*>(kName);
  X509_NAME* subject = x509 == nullptr ? nullptr : X509_get_subject_name(x509);
  const bool ok =
      x509 != nullptr && X509_set_version(x509, X509_VERSION_3) == 1 &&
      ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), number) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x509), 0) != nullptr &&
      // RFC 5280, 4.1.2.5: no well-defined expiration date.
      ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1,
                                 0) == 1 &&
      X509_set_issuer_name(x509, subject) == 1 &&
      X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha384()) > 0;
  return ok ? std::move(certificate) : nullptr;
}

base::Bytes Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return ossl::AsBytes({data, static_cast<size_t>(size)});
}

}  // namespace

absl::Status CreateIdentity(const std::string& folder) {
  char curve[] = "P-384";  // Variadic: OpenSSL wants a char*.
  const ossl::PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  if (!key) return Failed("P-384 key");
  const ossl::X509Ptr certificate = SelfSigned(key.get());
  const ossl::BioPtr key_pem(BIO_new(BIO_s_secmem()));
  const ossl::BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  if (!certificate || !key_pem || !certificate_pem ||
      PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr,
                                    0, nullptr, nullptr) != 1 ||
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1) {
    return Failed("certificate");
  }
  absl::Status status =
      CreatePrivateFile(KeyPath(folder), Contents(key_pem.get()));
  if (status.ok()) {
    status = CreatePrivateFile(CertificatePath(folder),
                               Contents(certificate_pem.get()));
  }
  if (!status.ok()) return Error(kStoreOpen, status.code(), status.message());
  return absl::OkStatus();
}

absl::StatusOr<Identity> LoadIdentity(const std::string& folder) {
  base::SecretBuffer<kMaxPem> key_pem;
  const auto size =
      ReadPrivateFile(KeyPath(folder), *key_pem.ResizeForWrite(kMaxPem));
  const auto certificate_pem =
      hosted::ReadRegularFile(CertificatePath(folder), kMaxPem);
  const absl::Status status =
      size.ok() ? certificate_pem.status() : size.status();
  if (!status.ok()) return Error(kStoreOpen, status.code(), status.message());
  const ossl::BioPtr key_bio(
      BIO_new_mem_buf(key_pem.RevealSecret().data(), static_cast<int>(*size)));
  const ossl::BioPtr certificate_bio(BIO_new_mem_buf(
      certificate_pem->data(), static_cast<int>(certificate_pem->size())));
  Identity identity;
  identity.key.reset(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  identity.certificate.reset(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr));
  if (!identity.key || !identity.certificate ||
      X509_check_private_key(identity.certificate.get(), identity.key.get()) !=
          1) {
    return Failed(absl::StrCat(folder, ": tls.key, tls.crt"));
  }
  return identity;
}

std::string PinOf(const Identity& identity) {
  uint8_t* der = nullptr;
  const int size =
      i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity.certificate.get()), &der);
  if (size <= 0) return "";
  const auto digest = ossl::Sha256::Of({der, static_cast<size_t>(size)});
  OPENSSL_free(der);
  return absl::StrCat("sha256:", ossl::Hex(digest));
}

std::string_view MeaningOfAlert(unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL ||
      ERR_GET_REASON(error) != SSL_R_TLSV1_ALERT_ACCESS_DENIED) {
    return "";
  }
  return "; a guest says so if no pin in its image is this server's: compare "
         "with forelock-verifier pin";
}

ossl::SslCtxPtr MakeServerContext(const Identity& identity) {
  ossl::SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* ctx = context.get();
  if (ctx == nullptr) return nullptr;
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  std::array<int, 3> groups = {NID_X25519, NID_X9_62_prime256v1, NID_secp384r1};
  const bool ok =
      SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") == 1 &&
      SSL_CTX_set1_groups(ctx, groups.data(),
                          static_cast<int>(groups.size())) == 1 &&
      SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
      SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
      SSL_CTX_use_certificate(ctx, identity.certificate.get()) == 1 &&
      SSL_CTX_use_PrivateKey(ctx, identity.key.get()) == 1;
  return ok ? std::move(context) : nullptr;
}

}  // namespace verifier

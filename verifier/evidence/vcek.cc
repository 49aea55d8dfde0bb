// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/vcek.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr std::string_view kArc = "1.3.6.1.4.1.3704.1";

using ObjectPtr = std::unique_ptr<ASN1_OBJECT, ossl::Deleter<ASN1_OBJECT_free>>;
using IntegerPtr =
    std::unique_ptr<ASN1_INTEGER, ossl::Deleter<ASN1_INTEGER_free>>;
using Ia5StringPtr =
    std::unique_ptr<ASN1_IA5STRING, ossl::Deleter<ASN1_IA5STRING_free>>;

// Reads extensions by their place under AMD's arc.
class Extensions {
 public:
  Extensions(const Certificate& certificate, Findings& findings)
      : x509_(certificate.x509()), findings_(findings) {}

  bool ok() const { return ok_; }

  // The value's octets; empty span, with a finding, if missing or twice.
  base::Bytes Value(std::string_view place) {
    const std::string oid = absl::StrCat(kArc, ".", place);
    const ObjectPtr object(OBJ_txt2obj(oid.c_str(), /*no_name=*/1));
    const int index = X509_get_ext_by_OBJ(x509_, object.get(), -1);
    if (index < 0) {
      Fail(kVcekExtensionMissing, place);
      return {};
    }
    if (X509_get_ext_by_OBJ(x509_, object.get(), index) >= 0) {
      Fail(kVcekExtensionMalformed, place);
      return {};
    }
    const ASN1_OCTET_STRING* value =
        X509_EXTENSION_get_data(X509_get_ext(x509_, index));
    return {ASN1_STRING_get0_data(value),
            static_cast<size_t>(ASN1_STRING_length(value))};
  }

  uint8_t Spl(std::string_view place) {
    const base::Bytes value = Value(place);
    if (value.empty()) return 0;
    const uint8_t* at = value.data();
    const IntegerPtr integer(
        d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(value.size())));
    int64_t number = -1;
    if (!integer || at != value.data() + value.size() ||
        ASN1_INTEGER_get_int64(&number, integer.get()) != 1 || number < 0 ||
        number > 255) {
      Fail(kVcekExtensionMalformed, place);
      return 0;
    }
    return static_cast<uint8_t>(number);
  }

  std::string Text(std::string_view place) {
    const base::Bytes value = Value(place);
    if (value.empty()) return "";
    const uint8_t* at = value.data();
    const Ia5StringPtr text(
        d2i_ASN1_IA5STRING(nullptr, &at, static_cast<long>(value.size())));
    if (!text || at != value.data() + value.size()) {
      Fail(kVcekExtensionMalformed, place);
      return "";
    }
    std::string out;
    for (int i = 0; i < ASN1_STRING_length(text.get()); ++i) {
      const uint8_t c = ASN1_STRING_get0_data(text.get())[i];
      // It goes to logs.
      if (c < 0x20 || c > 0x7E || out.size() >= 64) {
        Fail(kVcekExtensionMalformed, place);
        return "";
      }
      out.push_back(static_cast<char>(c));
    }
    return out;
  }

  void Fail(base::Reason reason, std::string_view place) {
    ok_ = false;
    findings_.push_back({reason, absl::StrCat(kArc, ".", place)});
    ERR_clear_error();
  }

 private:
  X509* x509_;
  Findings& findings_;
  bool ok_ = true;
};

std::optional<sev::Product> ProductOf(std::string_view product_name) {
  const std::string_view line = product_name.substr(0, product_name.find('-'));
  if (line == "Milan") return sev::Product::kMilan;
  if (line == "Genoa") return sev::Product::kGenoa;
  if (line == "Turin") return sev::Product::kTurin;
  return std::nullopt;
}

}  // namespace

std::optional<VcekFacts> ReadVcek(const Certificate& certificate,
                                  Findings& findings) {
  Extensions extensions(certificate, findings);
  VcekFacts facts;
  facts.product_name = extensions.Text("2");
  facts.product = ProductOf(facts.product_name);
  static constexpr std::string_view kSplPlaces[8] = {
      "3.1", "3.2", "3.4", "3.5", "3.6", "3.7", "3.3", "3.8"};
  for (size_t i = 0; i < 8; ++i) facts.spl[i] = extensions.Spl(kSplPlaces[i]);
  const base::Bytes hardware_id = extensions.Value("4");
  if (hardware_id.size() == facts.hardware_id.size()) {
    memcpy(facts.hardware_id.data(), hardware_id.data(), hardware_id.size());
  } else if (!hardware_id.empty()) {
    extensions.Fail(kVcekExtensionMalformed, "4");
  }
  if (!extensions.ok()) return std::nullopt;
  return facts;
}

}  // namespace verifier

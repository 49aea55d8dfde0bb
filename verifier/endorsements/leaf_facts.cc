// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/leaf_facts.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "verifier/ossl/ossl.h"

namespace verifier {
namespace {

constexpr size_t kMaxHardwareId = 256;
constexpr size_t kMaxText = 128;

using ObjectPtr = std::unique_ptr<ASN1_OBJECT, ossl::Deleter<ASN1_OBJECT_free>>;
using IntegerPtr =
    std::unique_ptr<ASN1_INTEGER, ossl::Deleter<ASN1_INTEGER_free>>;
using Ia5StringPtr =
    std::unique_ptr<ASN1_IA5STRING, ossl::Deleter<ASN1_IA5STRING_free>>;

// Of a place that amd_extension names; made once.
const ASN1_OBJECT* ObjectOf(std::string_view place) {
  static const auto& all = *[] {
    auto* objects = new std::map<std::string_view, ObjectPtr>;
    for (const std::string_view known : amd_extension::kAll) {
      const std::string oid = absl::StrCat(kAmdArc, ".", known);
      objects->emplace(known, OBJ_txt2obj(oid.c_str(), /*no_name=*/1));
    }
    return objects;
  }();
  return all.at(place).get();
}

class Extensions {
 public:
  Extensions(const Certificate& certificate, LeafFacts& facts)
      : extensions_(certificate.extensions()), facts_(facts) {}

  // The value's octets; empty optional: missing, or twice.
  std::optional<base::Bytes> Value(std::string_view place) {
    const ASN1_OBJECT* object = ObjectOf(place);
    const int index = X509v3_get_ext_by_OBJ(extensions_, object, -1);
    if (index < 0) return std::nullopt;
    if (X509v3_get_ext_by_OBJ(extensions_, object, index) >= 0) {
      Malformed(place);
      return std::nullopt;
    }
    const ASN1_OCTET_STRING* value =
        X509_EXTENSION_get_data(X509v3_get_ext(extensions_, index));
    return base::Bytes(ASN1_STRING_get0_data(value),
                       static_cast<size_t>(ASN1_STRING_length(value)));
  }

  std::optional<uint8_t> Number(std::string_view place) {
    const auto value = Value(place);
    if (!value) return std::nullopt;
    const uint8_t* at = value->data();
    const IntegerPtr integer(
        d2i_ASN1_INTEGER(nullptr, &at, static_cast<long>(value->size())));
    int64_t number = -1;
    if (!integer || at != value->data() + value->size() ||
        ASN1_INTEGER_get_int64(&number, integer.get()) != 1 || number < 0 ||
        number > 255) {
      Malformed(place);
      return std::nullopt;
    }
    return static_cast<uint8_t>(number);
  }

  std::string Text(std::string_view place) {
    const auto value = Value(place);
    if (!value) return "";
    const uint8_t* at = value->data();
    const Ia5StringPtr text(
        d2i_ASN1_IA5STRING(nullptr, &at, static_cast<long>(value->size())));
    if (!text || at != value->data() + value->size()) {
      Malformed(place);
      return "";
    }
    const base::Bytes octets(
        ASN1_STRING_get0_data(text.get()),
        static_cast<size_t>(ASN1_STRING_length(text.get())));
    // It goes to logs and is compared with policies.
    if (octets.size() > kMaxText || std::ranges::any_of(octets, [](uint8_t c) {
          return c < 0x20 || c > 0x7E;
        })) {
      Malformed(place);
      return "";
    }
    return {octets.begin(), octets.end()};
  }

  void Malformed(std::string_view place) {
    facts_.malformed.emplace_back(place);
    ERR_clear_error();
  }

 private:
  const STACK_OF(X509_EXTENSION) * extensions_;
  LeafFacts& facts_;
};

bool IsHardwareIdSize(size_t size) {
  return std::ranges::any_of(sev::kProducts, [size](sev::Product product) {
    return size == sev::HardwareIdSize(product);
  });
}

// What is in an OCTET STRING that fills `value`, its length in one byte, if
// that can be a hardware id; else `value`. Octets that have the length of an id
// are one, though they may begin as an OCTET STRING does.
base::Bytes HardwareIdIn(base::Bytes value) {
  constexpr size_t kHeader = 2;
  if (IsHardwareIdSize(value.size()) || value.size() <= kHeader) return value;
  const base::Bytes inside = value.subspan(kHeader);
  const bool wrapped = value[0] == V_ASN1_OCTET_STRING &&
                       value[1] == inside.size() &&
                       IsHardwareIdSize(inside.size());
  return wrapped ? inside : value;
}

}  // namespace

bool LeafFacts::IsMalformed(std::string_view place) const {
  return std::ranges::find(malformed, place) != malformed.end();
}

LeafFacts ReadLeaf(const Certificate& certificate) {
  LeafFacts facts;
  const std::string subject = certificate.SubjectName();
  if (subject == "SEV-VCEK") facts.kind = SignerKind::kVcek;
  if (subject == "SEV-VLEK") facts.kind = SignerKind::kVlek;
  Extensions extensions(certificate, facts);
  facts.struct_version = extensions.Number(amd_extension::kStructVersion);
  facts.product_name = extensions.Text(amd_extension::kProductName);
  facts.product = sev::ProductOfName(facts.product_name);
  facts.boot_loader = extensions.Number(amd_extension::kBootLoader);
  facts.tee = extensions.Number(amd_extension::kTee);
  facts.snp = extensions.Number(amd_extension::kSnp);
  facts.microcode = extensions.Number(amd_extension::kMicrocode);
  facts.fmc = extensions.Number(amd_extension::kFmc);
  for (size_t i = 0; i < std::size(amd_extension::kReservedSpl); ++i) {
    facts.reserved_spl[i] = extensions.Number(amd_extension::kReservedSpl[i]);
  }
  if (const auto value = extensions.Value(amd_extension::kHardwareId)) {
    facts.has_hardware_id = true;
    const base::Bytes id = HardwareIdIn(*value);
    if (id.size() <= kMaxHardwareId) {
      facts.hardware_id.assign(id.begin(), id.end());
    }
  }
  facts.csp_id = extensions.Text(amd_extension::kCspId);
  return facts;
}

}  // namespace verifier

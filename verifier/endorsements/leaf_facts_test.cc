// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/leaf_facts.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "psp/testing.h"
#include "verifier/testing/appraisal_draft.h"
#include "verifier/testing/resign.h"

namespace verifier {
namespace {

using psp::CertificateSpec;
using psp::Der;
using psp::DerIa5String;
using psp::DerInteger;
using testing::GoodDraft;

LeafFacts Read(const CertificateSpec& spec) {
  return ReadLeaf(*Certificate::Parse(testing::Make(spec)));
}

CertificateSpec Leaf(const psp::ChipModel& model = psp::kMilan,
                     SignerKind kind = SignerKind::kVcek) {
  return GoodDraft(model, kind).leaf;
}

CertificateSpec With(std::string_view place, Der value) {
  CertificateSpec spec = Leaf(psp::kTurin);
  spec.Remove(place);
  spec.extensions.push_back({std::string(place), std::move(value)});
  return spec;
}

using Number = std::optional<uint8_t> LeafFacts::*;
struct NumberAt {
  std::string_view place;
  Number field;
};
constexpr NumberAt kNumbers[] = {
    {amd_extension::kStructVersion, &LeafFacts::struct_version},
    {amd_extension::kFmc, &LeafFacts::fmc},
    {amd_extension::kBootLoader, &LeafFacts::boot_loader},
    {amd_extension::kTee, &LeafFacts::tee},
    {amd_extension::kSnp, &LeafFacts::snp},
    {amd_extension::kMicrocode, &LeafFacts::microcode}};

TEST(ReadLeaf, GoodOnes) {
  for (const psp::ChipModel* model : psp::kChipModels) {
    for (const SignerKind kind : {SignerKind::kVcek, SignerKind::kVlek}) {
      const bool vlek = kind == SignerKind::kVlek;
      const LeafFacts facts = Read(Leaf(*model, kind));
      EXPECT_EQ(facts.kind, kind);
      EXPECT_EQ(facts.product, model->product);
      EXPECT_EQ(facts.product_name,
                vlek ? model->line : model->vcek_product_name);
      EXPECT_EQ(facts.struct_version, model->struct_version);
      EXPECT_EQ(facts.boot_loader, model->tcb.boot_loader);
      EXPECT_EQ(facts.tee, model->tcb.tee);
      EXPECT_EQ(facts.snp, model->tcb.snp);
      EXPECT_EQ(facts.microcode, model->tcb.microcode);
      EXPECT_EQ(facts.fmc.has_value(), model->product == sev::Product::kTurin);
      EXPECT_EQ(facts.has_hardware_id, !vlek);
      EXPECT_EQ(facts.hardware_id.size(), vlek ? 0 : model->hardware_id_size);
      EXPECT_EQ(facts.csp_id, vlek ? psp::kTestCspId : "");
      EXPECT_TRUE(facts.malformed.empty());
    }
  }
}

TEST(ReadLeaf, NumbersFrom0To255) {
  for (const auto& [place, field] : kNumbers) {
    for (const int value : {0, 1, 127, 128, 255}) {
      const LeafFacts facts =
          Read(With(place, DerInteger(static_cast<uint8_t>(value))));
      EXPECT_EQ(facts.*field, value) << place;
    }
  }
}

TEST(ReadLeaf, NumbersThatAreNone) {
  const Der bad[] = {{},
                     {0x02},
                     {0x02, 0x00},
                     {0x02, 0x02, 0x01},           // Cut.
                     {0x02, 0x01, 0x01, 0x00},     // A byte behind it.
                     {0x02, 0x01, 0xFF},           // -1.
                     {0x02, 0x01, 0x80},           // -128.
                     {0x02, 0x02, 0x01, 0x00},     // 256.
                     {0x02, 0x05, 1, 0, 0, 0, 0},  // 2^32.
                     {0x02, 0x09, 1, 0, 0, 0, 0, 0, 0, 0, 0},
                     {0x04, 0x01, 0x01},              // An OCTET STRING.
                     {0x04, 0x03, 0x02, 0x01, 0x01},  // A number inside one.
                     {0x0A, 0x01, 0x01}};             // ENUMERATED.
  for (const auto& [place, field] : kNumbers) {
    for (const Der& value : bad) {
      const LeafFacts facts = Read(With(place, value));
      EXPECT_FALSE(facts.*field) << place;
      EXPECT_TRUE(facts.IsMalformed(place)) << place;
    }
  }
}

TEST(ReadLeaf, MissingIsNotMalformed) {
  for (const auto& [place, field] : kNumbers) {
    CertificateSpec spec = Leaf(psp::kTurin);
    spec.Remove(place);
    const LeafFacts facts = Read(spec);
    EXPECT_FALSE(facts.*field);
    EXPECT_TRUE(facts.malformed.empty());
  }
  CertificateSpec bare = Leaf();
  bare.extensions.clear();
  const LeafFacts facts = Read(bare);
  EXPECT_FALSE(facts.has_hardware_id);
  EXPECT_FALSE(facts.product);
  EXPECT_EQ(facts.csp_id, "");
  EXPECT_TRUE(facts.malformed.empty());
}

// Which of the two would count is nobody's to guess.
TEST(ReadLeaf, TwiceIsMalformed) {
  CertificateSpec spec = Leaf(psp::kTurin);
  spec.extensions.push_back({"5", DerIa5String("CN=a")});
  const auto once = spec.extensions;
  for (const auto& extension : once) {
    spec.extensions = once;
    spec.extensions.push_back(extension);
    const LeafFacts facts = Read(spec);
    EXPECT_EQ(facts.malformed, std::vector{extension.arc});
  }
}

TEST(ReadLeaf, HardwareIdIsOctets) {
  EXPECT_EQ(Read(With("4", Der(8, 0x30))).hardware_id, Der(8, 0x30));
  EXPECT_EQ(Read(With("4", Der(64, 0x30))).hardware_id, Der(64, 0x30));
  EXPECT_EQ(Read(With("4", Der(9, 0x30))).hardware_id, Der(9, 0x30));
  const LeafFacts empty = Read(With("4", {}));
  EXPECT_TRUE(empty.has_hardware_id);
  EXPECT_TRUE(empty.hardware_id.empty());
  // Too long for any product: there, but nothing to compare with.
  const LeafFacts large = Read(With("4", Der(300, 1)));
  EXPECT_TRUE(large.has_hardware_id);
  EXPECT_TRUE(large.hardware_id.empty());
}

TEST(ReadLeaf, HardwareIdInAnOctetString) {
  for (const size_t size : {8u, 64u}) {
    const Der id(size, 0xAA);
    const LeafFacts facts = Read(With("4", psp::DerOctetString(id)));
    EXPECT_TRUE(facts.has_hardware_id);
    EXPECT_EQ(facts.hardware_id, id);
    EXPECT_TRUE(facts.malformed.empty());
  }
}

// A chip's own id may begin with these bytes.
TEST(ReadLeaf, HardwareIdThatLooksLikeAnOctetString) {
  for (const size_t size : {8u, 64u}) {
    const Der id = psp::DerOctetString(Der(size - 2, 0xAA));
    EXPECT_EQ(Read(With("4", id)).hardware_id, id);
    // And inside a real one.
    EXPECT_EQ(Read(With("4", psp::DerOctetString(id))).hardware_id, id);
  }
}

TEST(ReadLeaf, OtherOctetStringsAreLeftAsTheyAre) {
  const Der id(8, 0xAA);
  const auto with = [&id](Der head, size_t tail = 0) {
    head.insert(head.end(), id.begin(), id.end());
    head.resize(head.size() + tail);
    return head;
  };
  Der in_parts = with({0x24, 0x80, 0x04, 0x08});
  in_parts.insert(in_parts.end(), {0, 0});
  const Der others[] = {
      with({0x04, 0x08}, 1),            // A byte behind it.
      with({0x04, 0x07}),               // The last byte behind it.
      with({0x04, 0x09}),               // Cut.
      with({0x04, 0x81, 0x08}),         // A length that is not minimal.
      with({0x04, 0x82, 0x00, 0x08}),   //
      in_parts,                         // Of an indefinite length.
      with({0x24, 0x0A, 0x04, 0x08}),   // Constructed.
      with({0x03, 0x08}),               // A BIT STRING.
      with({0x84, 0x08}),               // Of another class.
      with({0x04, 0x0A, 0x04, 0x08}),   // Two of them.
      psp::DerOctetString(Der(7, 1)),   // None of these is an id's length.
      psp::DerOctetString(Der(9, 1)),   //
      psp::DerOctetString(Der(63, 1)),  //
      psp::DerOctetString(Der(65, 1)),  //
      psp::DerOctetString({}),          //
      {0x04},
  };
  for (const Der& value : others) {
    const LeafFacts facts = Read(With("4", value));
    EXPECT_TRUE(facts.has_hardware_id);
    EXPECT_EQ(facts.hardware_id, value);
  }
}

TEST(ReadLeaf, TextIsShortPrintableIa5) {
  struct Field {
    std::string_view place;
    std::string LeafFacts::* field;
  };
  const Field fields[] = {{"2", &LeafFacts::product_name},
                          {"5", &LeafFacts::csp_id}};
  const std::string longest(120, 'x');
  const std::string bad[] = {"a\nb", std::string("a\0b", 3), "\x1b[31m", "\x7f",
                             "caf\xc3\xa9"};
  for (const auto& [place, field] : fields) {
    EXPECT_EQ(Read(With(place, DerIa5String("Milan-B0 ~"))).*field,
              "Milan-B0 ~");
    EXPECT_EQ(Read(With(place, DerIa5String(longest))).*field, longest);
    for (const std::string& text : bad) {
      const LeafFacts facts = Read(With(place, DerIa5String(text)));
      EXPECT_EQ(facts.*field, "");
      EXPECT_TRUE(facts.IsMalformed(place));
    }
    Der too_long = {0x16, 0x81, 0x81};
    too_long.insert(too_long.end(), 129, 'x');
    Der tail = DerIa5String("Milan");
    tail.push_back(0);
    for (const Der& value : {too_long, tail, Der{0x16, 0x05, 'M'}, Der{},
                             Der{0x0C, 0x01, 'M'},             // UTF8String.
                             Der{'M', 'i', 'l', 'a', 'n'}}) {  // Bare.
      const LeafFacts facts = Read(With(place, value));
      EXPECT_EQ(facts.*field, "");
      EXPECT_TRUE(facts.IsMalformed(place));
    }
  }
}

TEST(ReadLeaf, KindByTheWholeName) {
  for (const char* name : {"SEV-VCEK2", "SEV-VCE", "sev-vcek", "ARK-Milan",
                           "SEV-VLEK-Milan", "SEV-VCEK\x01"}) {
    CertificateSpec spec = Leaf();
    spec.subject = name;
    EXPECT_FALSE(Read(spec).kind) << name;
  }
  // A second name would be one that others look at.
  const auto two_names = testing::ResignCertificate(
      testing::GoodExhibit().leaf, testing::AskKey(), [](X509* x509) {
        X509_NAME* name = X509_NAME_dup(X509_get_subject_name(x509));
        // EDGE: OpenSSL takes ASCII as unsigned char.
        X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>("SEV-VLEK"), -1, -1, 0);
        X509_set_subject_name(x509, name);
        X509_NAME_free(name);
      });
  EXPECT_FALSE(ReadLeaf(*Certificate::Parse(two_names)).kind);
}

TEST(ReadLeaf, ProductNameWithStepping) {
  const auto product = [](const char* name) {
    return Read(With("2", DerIa5String(name))).product;
  };
  EXPECT_EQ(product("Milan"), sev::Product::kMilan);
  EXPECT_EQ(product("Milan-B1"), sev::Product::kMilan);
  EXPECT_EQ(product("Turin-X"), sev::Product::kTurin);
  EXPECT_FALSE(product("Venice"));
  EXPECT_FALSE(product("MilanB0"));
  EXPECT_FALSE(product(" Milan"));
}

}  // namespace
}  // namespace verifier

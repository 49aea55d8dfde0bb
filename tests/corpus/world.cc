// SPDX-License-Identifier: Apache-2.0
#include "tests/corpus/world.h"

#include <stdio.h>
#include <stdlib.h>

#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "openssl/objects.h"
#include "psp/hierarchy.h"

namespace corpus {
namespace {

using psp::ArkSpec;
using psp::GoodCrlSpec;
using psp::IntermediateSpec;
using psp::kGenoa;
using psp::kMilan;
using psp::kTurin;
using psp::MakeCertificate;
using psp::MakeCrl;
using psp::NewAuthorityKey;
using psp::NewP384Key;
using psp::VcekSpec;
using psp::VlekSpec;

template <typename T>
T OrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    fprintf(stderr, "%s\n", result.status().ToString().c_str());
    abort();
  }
  return *std::move(result);
}

// The same each time, and another for each line.
ChipId ChipIdOf(const ChipModel& model) {
  ChipId chip_id{};
  for (size_t i = 0; i < model.hardware_id_size; ++i) {
    chip_id[i] = static_cast<uint8_t>(0x11 + 7 * i + model.line.size() +
                                      static_cast<uint8_t>(model.line[0]));
  }
  return chip_id;
}

Line MakeLine(const ChipModel& model) {
  Line line;
  line.model = &model;
  line.chip_id = ChipIdOf(model);
  line.ark_key = NewAuthorityKey();
  line.ask_key = NewAuthorityKey();
  line.asvk_key = NewAuthorityKey();
  line.vcek_key = NewP384Key();
  line.vlek_key = NewP384Key();
  line.ark = Make(line.ArkSpecOf());
  line.ask = Make(line.IntermediateSpecOf(SignerKind::kVcek));
  line.asvk = Make(line.IntermediateSpecOf(SignerKind::kVlek));
  line.crl = Make(line.CrlSpecOf());
  return line;
}

}  // namespace

Der Make(const CertificateSpec& spec) { return OrDie(MakeCertificate(spec)); }
Der Make(const CrlSpec& spec) { return OrDie(MakeCrl(spec)); }

CertificateSpec Line::ArkSpecOf() const {
  CertificateSpec spec = ArkSpec(*model, ark_key.get());
  spec.validity = kAuthorityLife;
  return spec;
}

CertificateSpec Line::IntermediateSpecOf(SignerKind signs) const {
  CertificateSpec spec = IntermediateSpec(
      *model, signs,
      signs == SignerKind::kVcek ? ask_key.get() : asvk_key.get(),
      ark_key.get());
  spec.validity = kAuthorityLife;
  return spec;
}

CertificateSpec Line::LeafSpecOf(SignerKind kind, const ChipModel& of) const {
  CertificateSpec spec =
      kind == SignerKind::kVcek
          ? VcekSpec(of, chip_id, vcek_key.get(), ask_key.get())
          : VlekSpec(of, kCspId, vlek_key.get(), asvk_key.get());
  spec.validity = kind == SignerKind::kVcek ? kVcekLife : kVlekLife;
  return spec;
}

CrlSpec Line::CrlSpecOf() const {
  CrlSpec spec = GoodCrlSpec(*model, ark_key.get());
  spec.validity = kCrlLife;
  return spec;
}

EVP_PKEY* Line::LeafKey(SignerKind kind) const {
  return kind == SignerKind::kVcek ? vcek_key.get() : vlek_key.get();
}

const Line& World::Of(const ChipModel& model) const {
  switch (model.product) {
    case sev::Product::kMilan:
      return milan;
    case sev::Product::kGenoa:
      return genoa;
    case sev::Product::kTurin:
      return turin;
  }
  abort();
}

const Line& World::OtherThan(const Line& line) const {
  return &line == &genoa ? milan : genoa;
}

World MakeWorld() {
  World world;
  auto others = std::async(std::launch::async, [] {
    return std::pair(MakeLine(kMilan), MakeLine(kGenoa));
  });
  world.turin = MakeLine(kTurin);
  world.impostor = MakeLine(kMilan);
  std::tie(world.milan, world.genoa) = others.get();
  world.other_chip_key = NewP384Key();
  world.p256_key.reset(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", SN_X9_62_prime256v1));

  CertificateSpec ark = world.milan.ArkSpecOf();
  ark.validity = kPast;
  world.expired_ark = Make(ark);
  ark = world.milan.ArkSpecOf();
  ark.signer = world.impostor.ark_key.get();
  world.unsigned_ark = Make(ark);
  return world;
}

}  // namespace corpus

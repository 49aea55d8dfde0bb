// SPDX-License-Identifier: Apache-2.0
//
// ID blocks with their keys, and lists of measured pages with their digest.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "hosted/text.h"
#include "nlohmann/json.hpp"
#include "openssl/bn.h"
#include "openssl/core_names.h"
#include "openssl/sha.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "sev/id_block.h"
#include "sev/page_info.h"
#include "tests/corpus/entry.h"

namespace corpus {
namespace {

using hosted::openssl::BnPtr;
using psp::NewP384Key;
using psp::SignMessage;

using Digest = sev::LaunchDigest;

template <typename Field>
void PutLe32(Blob& blob, uint32_t value) {
  base::StoreLe<uint32_t>(
      value, std::span(blob).subspan<Field::kOffset, Field::kSize>());
}

template <typename Field>
void PutBytes(Blob& blob, const Blob& bytes) {
  if (bytes.size() != Field::kSize) abort();
  std::ranges::copy(bytes, blob.begin() + Field::kOffset);
}

Blob KeyStruct(EVP_PKEY* key) {
  namespace layout = sev::ecdsa_key_layout;
  Blob out(sev::kEcdsaKeySize);
  PutLe32<layout::Curve>(out, sev::kCurveP384);
  const std::pair<const char*, size_t> numbers[] = {
      {OSSL_PKEY_PARAM_EC_PUB_X, layout::Qx::kOffset},
      {OSSL_PKEY_PARAM_EC_PUB_Y, layout::Qy::kOffset}};
  for (const auto& [name, at] : numbers) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) abort();
    const BnPtr owner(number);
    BN_bn2lebinpad(number, out.data() + at, int{layout::Qx::kSize});
  }
  return out;
}

Blob Signature(EVP_PKEY* key, const Blob& message) {
  namespace layout = sev::ecdsa_signature_layout;
  Blob out(sev::kEcdsaSignatureSize);
  const std::span<uint8_t> bytes(out);
  if (!SignMessage(key, message,
                   bytes.subspan<layout::R::kOffset, layout::R::kSize>(),
                   bytes.subspan<layout::S::kOffset, layout::S::kSize>())) {
    abort();
  }
  return out;
}

struct IdFiles {
  Blob block, auth, id_key, author_key;
};

IdFiles GoodIdFiles(EVP_PKEY* id_key, EVP_PKEY* author_key) {
  namespace layout = sev::id_auth_layout;
  sev::IdBlock block{.guest_svn = 1, .policy = 0x30000};
  block.launch_digest.fill(0xA5);
  const auto encoded = sev::EncodeIdBlock(block);
  IdFiles files{.block = {encoded.begin(), encoded.end()},
                .auth = Blob(sev::kIdAuthSize),
                .id_key = KeyStruct(id_key),
                .author_key = KeyStruct(author_key)};
  PutLe32<layout::IdKeyAlgorithm>(files.auth, sev::kIdKeyEcdsaP384Sha384);
  PutLe32<layout::AuthorKeyAlgorithm>(files.auth, sev::kIdKeyEcdsaP384Sha384);
  PutBytes<layout::IdBlockSignature>(files.auth,
                                     Signature(id_key, files.block));
  PutBytes<layout::IdKey>(files.auth, files.id_key);
  PutBytes<layout::IdKeySignature>(files.auth,
                                   Signature(author_key, files.id_key));
  PutBytes<layout::AuthorKey>(files.auth, files.author_key);
  return files;
}

struct IdCase {
  const char* name;
  const char* reason;
  const char* failing;
  void (*change)(IdFiles& files);
};
constexpr IdCase kIdCases[] = {
    {"good", "signed by its ID key, and that by its author key", "",
     [](IdFiles&) {}},
    {"svn-edited", "GUEST_SVN edited", "id_block_signature",
     [](IdFiles& files) {
       files.block[sev::id_block_layout::GuestSvn::kOffset] ^= 1;
     }},
    {"signature-edited", "one bit of the block's signature changed",
     "id_block_signature",
     [](IdFiles& files) {
       files.auth[sev::id_auth_layout::IdBlockSignature::kOffset] ^= 1;
     }},
    {"author-signature-edited", "one bit of the ID key's signature changed",
     "id_key_signature",
     [](IdFiles& files) {
       files.auth[sev::id_auth_layout::IdKeySignature::kOffset] ^= 1;
     }},
    {"other-id-key", "another ID key than the one in use", "id_key_in_auth",
     [](IdFiles& files) { files.id_key = files.author_key; }},
    {"other-author-key", "another author key than the one in use",
     "author_key_in_auth",
     [](IdFiles& files) { files.author_key = files.id_key; }},
    {"algorithm-2", "an algorithm that nobody knows", "algos",
     [](IdFiles& files) { files.auth[0] = 2; }},
    {"version-2", "version 2 of the block", "id_block",
     [](IdFiles& files) {
       files.block[sev::id_block_layout::Version::kOffset] = 2;
     }},
    {"truncated", "95 bytes", "id_block",
     [](IdFiles& files) { files.block.pop_back(); }},
    {"reserved", "a reserved byte of the authentication information", "id_auth",
     [](IdFiles& files) {
       files.auth[sev::id_auth_layout::Reserved008::kOffset] = 1;
     }},
};

std::vector<Entry> IdBlocks(const Line& line) {
  const PkeyPtr id_key = NewP384Key();
  const PkeyPtr author_key = NewP384Key();
  const IdFiles good = GoodIdFiles(id_key.get(), author_key.get());
  std::vector<Entry> entries;
  for (const IdCase& each : kIdCases) {
    IdFiles files = good;
    each.change(files);
    entries.push_back(
        SimpleEntry(line, absl::StrCat("id-block-", each.name), "id-block",
                    each.reason, each.failing,
                    {{"id-block", files.block},
                     {"id-auth-info", files.auth},
                     {"id-public-key-struct", files.id_key},
                     {"author-public-key-struct", files.author_key}}));
  }
  return entries;
}

// One page of each type, and their digest.
nlohmann::ordered_json PageList() {
  using Type = sev::PageType;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  Digest digest{};
  uint64_t gpa = 0;
  for (const Type type :
       {Type::kNormal, Type::kNormal, Type::kZero, Type::kUnmeasured,
        Type::kSecrets, Type::kCpuid, Type::kVmsa}) {
    Digest contents{};
    if (type == Type::kNormal || type == Type::kVmsa) {
      contents.fill(static_cast<uint8_t>(1 + gpa / sev::kMeasuredPageSize));
    }
    const auto info = sev::MakePageInfo(digest, type, contents, gpa);
    SHA384(info.data(), info.size(), digest.data());
    rows.push_back({static_cast<unsigned>(type),
                    absl::StrCat("0x", absl::Hex(gpa)), hosted::Hex(contents)});
    gpa += sev::kMeasuredPageSize;
  }
  return {
      {"seed_ld", hosted::Hex(Digest{})},
      {"page_info_updates",
       {{"columns", {"page_type", "gpa", "contents_sha384"}}, {"rows", rows}}},
      {"expected_launch_digest", hosted::Hex(digest)}};
}

std::vector<Entry> PageLists(const Line& line) {
  const auto entry = [&](const char* id, const char* reason,
                         const char* failing,
                         const nlohmann::ordered_json& list) {
    const std::string text = list.dump(1);
    return SimpleEntry(line, id, "launch-measurement", reason, failing,
                       {{"vector", {text.begin(), text.end()}}});
  };
  const auto good = PageList();
  auto order = good;
  auto& rows = order["page_info_updates"]["rows"];
  std::swap(rows[0], rows[1]);
  auto address = good;
  address["page_info_updates"]["rows"][0][1] = "0x1";
  auto type = good;
  type["page_info_updates"]["rows"][0][0] = 7;
  auto no_rows = good;
  no_rows.erase("page_info_updates");
  return {
      entry("pages", "a page of each type", "", good),
      entry("pages-swapped", "two pages in each other's place", "launch_digest",
            order),
      entry("pages-unaligned", "an address inside a page", "page_list",
            address),
      entry("pages-unknown-type", "a type that nobody knows", "page_list",
            type),
      entry("pages-none", "nothing that was measured", "page_list", no_rows),
  };
}

}  // namespace

// Neither has to do with a product.
std::vector<Entry> LaunchEntries(const World& world) {
  std::vector<Entry> entries = IdBlocks(world.milan);
  const auto lists = PageLists(world.milan);
  entries.insert(entries.end(), lists.begin(), lists.end());
  return entries;
}

}  // namespace corpus

// SPDX-License-Identifier: Apache-2.0
//
// Hierarchies on disk: made once, private, kept, of the kind asked for.
#include "psp/hierarchy.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "psp/openssl_verify.h"
#include "psp/testing.h"
#include "sev/cert_table.h"

namespace psp {
namespace {

namespace fs = std::filesystem;

fs::path Folder(const char* name) {
  return fs::path(testing::TempDir()) / name;
}

mode_t ModeOf(const fs::path& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

std::vector<uint8_t> BytesOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The table beside the leaf's own file.
fs::path TableOf(const fs::path& dir, const std::string& der_name) {
  return (dir / "public" / der_name).replace_extension(".certs");
}

Der DerOf(base::Bytes part) { return {part.begin(), part.end()}; }

TEST(Hierarchy, IsMadeOncePrivateAndKept) {
  const fs::path dir = Folder("milan");
  bool created = false;
  const auto first = Hierarchy::Init(dir.string(), &created);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(created);
  EXPECT_FALSE(first->has_vlek());
  EXPECT_EQ(ModeOf(dir / "private"), 0700u);
  for (const char* name : {"ark.pem", "ask.pem", "vcek.pem"}) {
    EXPECT_EQ(ModeOf(dir / "private" / name), 0600u) << name;
  }
  EXPECT_TRUE(fs::exists(dir / "public" / first->VcekFileName()));
  EXPECT_TRUE(fs::exists(dir / "public/crl.der"));
  EXPECT_FALSE(fs::exists(dir / "public/asvk.der"));
  const fs::path table = TableOf(dir, first->VcekFileName());
  const std::vector<uint8_t> bytes = BytesOf(table);
  const auto parsed = sev::ParseCertTable(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(DerOf(parsed->vcek), first->vcek());
  EXPECT_EQ(DerOf(parsed->ask), first->ask());
  EXPECT_EQ(DerOf(parsed->ark), first->ark());
  EXPECT_EQ(DerOf(parsed->crl), first->crl());
  EXPECT_TRUE(parsed->vlek.empty());
  EXPECT_EQ(ModeOf(table), 0644u);

  const auto second = Hierarchy::Init(dir.string(), &created);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(created);
  EXPECT_EQ(first->chip_id(), second->chip_id());
  EXPECT_EQ(first->ark(), second->ark());
  EXPECT_EQ(first->vcek(), second->vcek());
  EXPECT_EQ(first->crl(), second->crl());
  // Another kind is not made over it.
  const auto other =
      Hierarchy::Init(dir.string(), &created, {.model = &kTurin});
  EXPECT_EQ(other.status().code(), absl::StatusCode::kFailedPrecondition);

  // As made before there were tables; one that is there is the user's.
  fs::remove(table);
  ASSERT_TRUE(Hierarchy::Init(dir.string(), &created).ok());
  EXPECT_EQ(BytesOf(table), bytes);
  std::ofstream(table) << "changed";
  ASSERT_TRUE(Hierarchy::Init(dir.string(), &created).ok());
  EXPECT_EQ(BytesOf(table).size(), 7u);

  // As made before there was a choice.
  fs::remove(dir / "private/chip");
  fs::remove(dir / "public/crl.der");
  const auto old = Hierarchy::Load(dir.string());
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->vcek(), first->vcek());
  EXPECT_TRUE(old->crl().empty());

  // A file that is damaged is named, and never read in part.
  struct Row {
    const char* file;
    std::string contents;
    absl::StatusCode code;
  };
  const Row rows[] = {
      {"public/ark.der", "", absl::StatusCode::kDataLoss},
      {"public/ark.der", std::string(16 * 1024 + 1, 'x'),
       absl::StatusCode::kOutOfRange},
      {"private/ark.pem", "", absl::StatusCode::kDataLoss},
      {"private/ark.pem", "no key\n", absl::StatusCode::kInternal},
  };
  for (const Row& row : rows) {
    std::ofstream(dir / row.file) << row.contents;
    const absl::Status status = Hierarchy::Load(dir.string()).status();
    EXPECT_EQ(status.code(), row.code) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), row.file)) << status;
  }
}

TEST(Hierarchy, AVlekIsKeptToo) {
  const fs::path dir = Folder("turin");
  const HierarchyOptions options{.model = &kTurin, .csp_id = kTestCspId};
  bool created = false;
  const auto first = Hierarchy::Init(dir.string(), &created, options);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->VlekFileName(), "vlek-cc.example.com-5100000004010101.der");
  EXPECT_TRUE(fs::exists(dir / "public" / first->VlekFileName()));
  EXPECT_EQ(ModeOf(dir / "private/vlek.pem"), 0600u);
  // "vcek-", and a hardware id of eight bytes in a field of 64.
  EXPECT_EQ(first->VcekFileName().substr(5 + 16, 112), std::string(112, '0'));

  const auto bytes = BytesOf(TableOf(dir, first->VlekFileName()));
  const auto table = sev::ParseCertTable(bytes);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(DerOf(table->vlek), first->vlek());
  EXPECT_EQ(DerOf(table->ask), first->asvk());
  EXPECT_TRUE(table->vcek.empty());
  EXPECT_TRUE(fs::exists(TableOf(dir, first->VcekFileName())));

  const auto loaded = Hierarchy::Load(dir.string());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(&loaded->model(), &kTurin);
  EXPECT_EQ(loaded->csp_id(), kTestCspId);
  EXPECT_EQ(loaded->vlek(), first->vlek());
  EXPECT_EQ(loaded->asvk(), first->asvk());

  for (const char* damage :
       {"\n", "ryzen\n", "turin\nnobody\n", "turin\n\na\nb"}) {
    std::ofstream(dir / "private/chip") << damage;
    EXPECT_EQ(Hierarchy::Load(dir.string()).status().code(),
              absl::StatusCode::kDataLoss)
        << damage;
  }
}

TEST(Hierarchy, ChainsVerifyWithOpensslAndNoneIsRevoked) {
  for (const ChipModel* model : kChipModels) {
    const Hierarchy& made = TestHierarchy(*model, /*vlek=*/true);
    struct Row {
      const Der& leaf;
      const Der& intermediate;
    };
    for (const Row& row :
         {Row{made.vcek(), made.ask()}, Row{made.vlek(), made.asvk()}}) {
      EXPECT_EQ(VerifyChainByOpenssl({.leaf = row.leaf,
                                      .intermediate = row.intermediate,
                                      .root = made.ark()}),
                "ok")
          << model->name;
      EXPECT_EQ(VerifyChainByOpenssl({.leaf = row.leaf,
                                      .intermediate = row.intermediate,
                                      .root = made.ark(),
                                      .crl = made.crl()}),
                "ok")
          << model->name;
    }
    EXPECT_NE(VerifyChainByOpenssl({.leaf = made.vcek(),
                                    .intermediate = made.asvk(),
                                    .root = made.ark()}),
              "ok");
  }
}

TEST(Hierarchy, ACrlRevokes) {
  const Hierarchy& made = TestHierarchy();
  CrlSpec spec = GoodCrlSpec(kMilan, made.ark_key());
  spec.revoked_serial = IntermediateSpec(kMilan, SignerKind::kVcek,
                                         made.ask_key(), made.ark_key())
                            .serial;
  const auto crl = MakeCrl(spec);
  ASSERT_TRUE(crl.ok());
  EXPECT_EQ(VerifyChainByOpenssl({.leaf = made.vcek(),
                                  .intermediate = made.ask(),
                                  .root = made.ark(),
                                  .crl = *crl}),
            "certificate revoked");
}

TEST(Hierarchy, OddCspIdsAreRefused) {
  for (const char* odd :
       {"cc.example.com", "CN=", "CN=a/b", "CN=..\n", "CN=a b"}) {
    EXPECT_EQ(Hierarchy::Generate({.csp_id = odd}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << odd;
  }
  EXPECT_FALSE(
      Hierarchy::Generate({.csp_id = "CN=" + std::string(65, 'a')}).ok());
}

TEST(Hierarchy, LoadSaysWhatToDo) {
  const auto loaded = Hierarchy::Load("/nonexistent");
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace psp

// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/ram_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/shared_range.h"

namespace proxy::host {
namespace {

constexpr uint64_t kGpa = 0x100000;
constexpr Registration kRegistration = {
    .gpa = kGpa, .length = kSharedRangeSize, .session = 1};

class RamFileTest : public ::testing::Test {
 protected:
  RamFileTest() : fd_(memfd_create("ram", MFD_CLOEXEC)) {
    Resize(4 << 20);
    path_ = "/proc/self/fd/" + std::to_string(fd_);
  }
  ~RamFileTest() override { close(fd_); }
  void Resize(off_t size) {
    if (ftruncate(fd_, size) != 0) abort();
  }

  int fd_;
  std::string path_;
};

TEST_F(RamFileTest, MapsTheRangeAndNothingElse) {
  auto mapped = MappedRange::Map(path_, kRegistration);
  ASSERT_TRUE(mapped.ok());
  (*mapped)->range().Store32(8, 0x12345678);
  uint32_t value = 0;
  ASSERT_EQ(pread(fd_, &value, 4, kGpa + 8), 4);
  EXPECT_EQ(value, 0x12345678u);
  EXPECT_FALSE((*mapped)->lost());
}

TEST_F(RamFileTest, SurvivesAFileThatShrinks) {
  auto other = MappedRange::Map(path_, kRegistration);
  for (const off_t left : {off_t{0}, off_t{kGpa}, off_t{kGpa + 4096}}) {
    Resize(4 << 20);
    auto mapped = MappedRange::Map(path_, kRegistration);
    ASSERT_TRUE(mapped.ok());
    Resize(left);
    (*mapped)->range().Store32(kSharedRangeSize - 4, 1);
    EXPECT_TRUE((*mapped)->lost());
    EXPECT_EQ((*mapped)->range().Load32(0), 0u);
    std::vector<uint8_t> out(kSharedRangeSize);
    (*mapped)->range().CopyOut(0, out);
  }
  EXPECT_FALSE((*other)->lost());  // It did not look.
}

TEST_F(RamFileTest, RangesOutsideTheFileAreRefused) {
  const struct {
    off_t size;
    uint64_t gpa;
    uint32_t length;
  } rows[] = {
      {0, kGpa, kSharedRangeSize},
      {kGpa + kSharedRangeSize - 1, kGpa, kSharedRangeSize},
      {4 << 20, 4 << 20, kSharedRangeSize},
      {4 << 20, UINT64_MAX - 4095, kSharedRangeSize},
      {4 << 20, uint64_t{1} << 63, kSharedRangeSize},
      {4 << 20, kGpa, 0},
      {4 << 20, 0, 2 << 20},
      {4 << 20, 0, UINT32_MAX},
  };
  for (const auto& row : rows) {
    Resize(row.size);
    const auto mapped = MappedRange::Map(
        path_, {.gpa = row.gpa, .length = row.length, .session = 1});
    ASSERT_FALSE(mapped.ok());
    EXPECT_EQ(mapped.status().reason(), kRangeOutsideRam);
  }
}

TEST_F(RamFileTest, OnlyRegularFiles) {
  char folder[] = "/tmp/flramXXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string fifo = std::string(folder) + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path :
       {fifo, std::string(folder), std::string("/dev/zero"),
        std::string(folder) + "/absent"}) {
    EXPECT_EQ(MappedRange::Map(path, kRegistration).status().reason(),
              kRamFileUnusable)
        << path;
  }
  unlink(fifo.c_str());
  rmdir(folder);
}

TEST_F(RamFileTest, WhyAFileIsOfNoUse) {
  EXPECT_EQ(WhyUnusable("/nowhere/ram"),
            "/nowhere/ram: No such file or directory");
  EXPECT_EQ(WhyUnusable("/dev/zero"), "/dev/zero: not a regular file");
  ASSERT_EQ(chmod(path_.c_str(), 0), 0);
  const std::string why = WhyUnusable(path_);
  // Root may open it all the same.
  EXPECT_TRUE(why == path_ + ": it cannot be mapped" ||
              why == path_ +
                         ": Permission denied for this daemon's user (uid " +
                         std::to_string(geteuid()) + ")")
      << why;
}

using RamFileDeathTest = RamFileTest;

// A SIGBUS that is not ours still ends the program.
TEST_F(RamFileDeathTest, OtherFaultsAreNotHidden) {
  ASSERT_TRUE(MappedRange::Map(path_, kRegistration).ok());
  EXPECT_DEATH(
      {
        const int fd = memfd_create("other", MFD_CLOEXEC);
        if (ftruncate(fd, 4096) != 0) abort();
        // EDGE: so that the read below happens.
        auto* page = static_cast<volatile uint8_t*>(
            mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
        if (ftruncate(fd, 0) != 0) abort();
        (void)page[0];
      },
      "");
}

}  // namespace
}  // namespace proxy::host

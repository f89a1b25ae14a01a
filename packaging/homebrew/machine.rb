# A formula for a tap. `make dist` fills in the address and the hash, and writes the result to build/dist/machine.rb.
class Machine < Formula
  desc "Virtual machine of its own for every project"
  homepage "@HOMEPAGE@"
  url "@URL@"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "scdoc" => :build
  depends_on "tomlplusplus" => :build
  depends_on "jansson"
  depends_on "libsodium"
  depends_on "mbedtls@3"

  on_macos do
    depends_on "lima"
    depends_on macos: :ventura
  end

  on_linux do
    depends_on "glib"
    depends_on "libseccomp"
    depends_on "libslirp"
    depends_on "ncurses"
    depends_on "qemu"
  end

  def install
    system "meson", "setup", "build", "-Dtests=false", *std_meson_args
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
  end

  def caveats
    on_linux do
      <<~EOS
        The base image is made with Debian's mmdebstrap, which Homebrew doesn't have:
          sudo apt-get install mmdebstrap debian-archive-keyring bubblewrap uidmap
      EOS
    end
  end

  test do
    ENV["XDG_CONFIG_HOME"] = testpath/"config"
    ENV["XDG_STATE_HOME"] = testpath/"state"
    ENV["XDG_DATA_HOME"] = testpath/"data"
    ENV["MACHINE_SSH_DIR"] = testpath/"ssh"
    assert_equal "machine #{version}", shell_output("#{bin}/machine --version").strip

    system bin/"machine", "init"
    system bin/"machine", "validate"
    assert_equal "[]", shell_output("#{bin}/machine list --json").gsub(/\s/, "")

    (testpath/"config/machine/projects.toml").write "[blog]\ncpus = \"many\"\n"
    assert_match "projects.toml:2:8", shell_output("#{bin}/machine validate 2>&1", 3)
  end
end

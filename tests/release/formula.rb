# Runs a formula without brew: ruby formula.rb FORMULA PREFIX SOURCE TESTPATH. It has the few words of Homebrew that ours uses. Installs
# into PREFIX from the folder SOURCE, and then runs the formula's test in TESTPATH. What a formula depends on has to be there.
require "open3"
require "pathname"

class Pathname
  def to_str = to_s
end

class Formula
  FORMULA, PREFIX, SOURCE, TESTPATH = ARGV.map { |path| Pathname(path).expand_path }

  class << self
    attr_reader :address, :tried

    def url(address) = @address = address
    def test(&block) = @tried = block
    def on_linux = yield
    def on_macos(&block) = nil
    def desc(*) = nil
    alias homepage desc
    alias sha256 desc
    alias license desc
    alias depends_on desc
  end

  def bin = PREFIX/"bin"
  def testpath = TESTPATH
  def version = self.class.address[/machine-(.*)\.tar\.gz$/, 1]
  def std_meson_args = ["--prefix=#{PREFIX}", "--libdir=#{PREFIX}/lib", "--buildtype=release", "--wrap-mode=nofallback"]
  def on_linux = yield

  def system(*argv)
    argv = argv.map(&:to_s)
    raise "#{argv.join(" ")} failed" unless Kernel.system(*argv)
  end

  def shell_output(command, status = 0)
    output, ended = Open3.capture2(command)
    raise "#{command}: exit status #{ended.exitstatus}\n#{output}" if ended.exitstatus != status

    output
  end

  def assert_equal(wanted, found)
    raise "#{found.inspect} is not #{wanted.inspect}" if wanted != found
  end

  def assert_match(wanted, found)
    raise "#{found.inspect} has no #{wanted.inspect}" unless found.match?(wanted)
  end
end

load Formula::FORMULA
formula = Machine.new
Dir.chdir(Formula::SOURCE) { formula.install }
Dir.chdir(Formula::TESTPATH) { formula.instance_eval(&Machine.tried) }
puts formula.caveats, "the test passed"

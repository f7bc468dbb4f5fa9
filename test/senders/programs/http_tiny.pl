use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use Time::HiRes 'sleep';

# Returns a function that reads the body as it becomes known.
sub pieces {
    my ($r) = @_;
    open my $file, '<:raw', $r->{file} or die "$r->{file}: $!";
    return sub {
        sleep(($r->{pause} // 0) / 1000);
        read $file, my $piece, 64 << 10 or return '';
        return $piece;
    };
}

sub content {
    my ($r) = @_;
    open my $file, '<:raw', $r->{file} or die "$r->{file}: $!";
    local $/;
    return scalar <$file>;
}

sub post {
    my ($http, $r) = @_;
    my %options = (headers => $r->{headers});
    $options{content} = content($r) if $r->{how} eq 'length';
    $options{content} = pieces($r) if $r->{how} eq 'chunked';
    my $answer = $r->{how} eq 'form'
        ? $http->post_form($r->{url}, $r->{form}, \%options)
        : $http->post($r->{url}, \%options);
    # 599 stands for what went wrong on this side, which is then the content.
    return {status => 0, body => '', error => $answer->{content}} if $answer->{status} == 599;
    return {status => 0 + $answer->{status}, body => $answer->{content}};
}

$| = 1;
my $json = JSON::PP->new->utf8->canonical;
print $json->encode({version => "HTTP::Tiny $HTTP::Tiny::VERSION of Perl $^V"}), "\n";
while (my $line = <STDIN>) {
    my $http = HTTP::Tiny->new(timeout => 30);
    print $json->encode({answers => [map { post($http, $_) } @{$json->decode($line)->{requests}}]}), "\n";
}
